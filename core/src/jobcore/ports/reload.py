"""What can take over settings while it works."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


class Reloadable:
    """A part of an application that goes by settings. As it stands here, it takes over none."""

    @property
    def changeable(self) -> frozenset[str]:
        """The keys of the settings that it can take over while it works: `worker.concurrency`."""
        return frozenset()

    def reload(self, settings: Any) -> Callable[[], None]:  # noqa: ARG002 - for others
        """Look at `jobcore.settings.Settings` that were read anew; return what takes over the changeable ones.

        Changes nothing yet. Raises `ConfigurationError` if they cannot be used.
        """
        return _nothing

    def caveats(self, settings: Any) -> Sequence[str]:  # noqa: ARG002 - for others
        """Return what of these settings it will not do before a restart, though they can be used: what that leads to,
        and what to do, a sentence each."""
        return ()


def _nothing() -> None:
    """Take over nothing."""
