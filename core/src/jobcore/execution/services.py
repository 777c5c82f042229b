"""The services of a handler where no application gives any."""

from __future__ import annotations

from typing import NoReturn, TypeVar

from jobcore.errors import ConfigurationError

T = TypeVar("T")


class NoServices:
    """An empty `Services`; `why` is the error's text."""

    def __init__(self, why: str = "No services are registered: this executor was made without any.") -> None:
        self._why = why

    def get(self, kind: type[T]) -> NoReturn:  # noqa: ARG002 - the port's signature
        raise ConfigurationError(self._why)

    def __contains__(self, kind: object) -> bool:
        return False
