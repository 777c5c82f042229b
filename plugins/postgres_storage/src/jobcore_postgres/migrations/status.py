"""Which migrations are applied, which wait, and which are of a version that is not installed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from jobcore_postgres.migrations.components import Component, installed_components
from jobcore_postgres.migrations.ledger import read_ledger
from jobcore_postgres.migrations.session import migration_session


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """One migration, as the database and the installed plugins see it."""

    component: str
    version: str
    name: str
    applied_at: datetime | None
    """`None` while it waits to be applied."""
    known: bool
    """False if it is in the database and no installed plugin brings it: the database is ahead."""
    changed: bool
    """Whether its text is no longer the one that was applied."""


def status(dsn: str, *, components: Sequence[Component] | None = None) -> tuple[MigrationStatus, ...]:
    """Return every migration, in the order of application; unknown ones last. Blocks; changes nothing, takes no lock.

    Raises:
        StorageUnavailableError: if the database cannot be reached.
    """
    chosen = installed_components() if components is None else components
    with migration_session(dsn, exclusive=False) as connection:
        ledger = {(entry.component, entry.version): entry for entry in read_ledger(connection)}
    lines: list[MigrationStatus] = []
    for component in chosen:
        for migration in component.migrations:
            entry = ledger.pop((component.name, migration.version), None)
            lines.append(
                MigrationStatus(
                    component.name,
                    migration.version,
                    migration.name,
                    entry.applied_at if entry else None,
                    known=True,
                    changed=entry is not None and entry.checksum != migration.checksum,
                )
            )
    lines += [
        MigrationStatus(e.component, e.version, e.name, e.applied_at, known=False, changed=False)
        for e in ledger.values()
    ]
    return tuple(lines)
