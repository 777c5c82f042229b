"""The editions, and what the edition decides: which runner is taken when nobody names one (F02)."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from types import MappingProxyType

from jobcore.errors import EditionError


class Edition(StrEnum):
    """What is in force (F06). Without `EDITION` it is `community`."""

    COMMUNITY = "community"
    ENTERPRISE = "enterprise"

    def includes(self, other: str) -> bool:
        """Return whether a part of edition `other` may be used."""
        return self is Edition.ENTERPRISE or other == Edition.COMMUNITY


DEFAULT_RUNNERS = MappingProxyType({Edition.ENTERPRISE: ("temporal", "pgboss"), Edition.COMMUNITY: ("pgboss",)})
"""For each edition the runners to take when nobody names one: the first that is installed, else the last."""


def default_runner(edition: Edition, installed: Collection[str]) -> str:
    """Return the runner to take when no setting names one."""
    wanted = DEFAULT_RUNNERS[edition]
    return next((name for name in wanted if name in installed), wanted[-1])


def require_edition(thing: str, needed: str, edition: Edition, otherwise: str = "") -> None:
    """Raise `EditionError` unless the edition in force includes the edition that `thing` needs.

    Args:
        thing: what messages call it, such as "Runner 'temporal'".
        needed: the edition it belongs to.
        edition: the one in force.
        otherwise: what to do instead of changing the edition, as the end of a sentence.
    """
    if not edition.includes(needed):
        choice = f", or {otherwise}" if otherwise else ""
        raise EditionError(
            f"{thing} belongs to the {needed} edition, and the edition in force is {edition}: "
            f"set EDITION={needed}{choice}."
        )
