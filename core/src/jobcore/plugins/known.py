"""The runners and storages that jobcore itself offers: what to install for a name that is not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

INSTALL_PAGE = "docs/how-to/install-a-plugin.md"


@dataclass(frozen=True, slots=True)
class KnownPart:
    """A runner or a storage, and the distribution that brings it."""

    distribution: str
    edition: str = "community"


KNOWN_PARTS: Mapping[str, KnownPart] = MappingProxyType(
    {
        "runner:pgboss": KnownPart("jobcore-pgboss-runner"),
        "runner:temporal": KnownPart("jobcore-temporal-runner", "enterprise"),
        "runner:memory": KnownPart("jobcore-core"),
        "storage:postgres": KnownPart("jobcore-postgres-storage"),
        "storage:memory": KnownPart("jobcore-core"),
    }
)


def known_parts(kind: str) -> Mapping[str, KnownPart]:
    """Return the runners, or the storages, that jobcore offers, by name."""
    return {key.partition(":")[2]: part for key, part in KNOWN_PARTS.items() if key.startswith(f"{kind}:")}


def install_hints(kind: str) -> Mapping[str, str]:
    """Return, for each runner or storage that jobcore offers, the command that installs it, and the page about it."""
    return {name: f"pip install {part.distribution} (see {INSTALL_PAGE})" for name, part in known_parts(kind).items()}
