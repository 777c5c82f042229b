"""The runners and storages that jobcore itself offers: what to install for a name that is not there."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

INSTALL_PAGE = "docs/how-to/install-a-plugin.md"


@dataclass(frozen=True, slots=True)
class KnownPart:
    """A runner or a storage, and the distribution that brings it."""

    distribution: str
    edition: str = "community"


KNOWN_PARTS = MappingProxyType(
    {
        "runner:pgboss": KnownPart("jobcore-pgboss-runner"),
        "runner:temporal": KnownPart("jobcore-temporal-runner", "enterprise"),
        "runner:memory": KnownPart("jobcore-core"),
        "storage:postgres": KnownPart("jobcore-postgres-storage"),
        "storage:memory": KnownPart("jobcore-core"),
    }
)
