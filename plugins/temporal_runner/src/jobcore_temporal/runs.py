"""The jobs in this worker's hands, from the claim until their ends are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from jobcore_postgres.background.held import HeldClaim
from jobcore_postgres.outbox import Entry


@dataclass(slots=True, eq=False, kw_only=True)
class Run(HeldClaim):
    """One claim, and the job's place in the outbox."""

    entry: Entry


@dataclass(slots=True)
class Runs:
    """All of them."""

    _runs: dict[Run, None] = field(default_factory=dict[Run, None])

    def add(self, run: Run) -> None:
        self._runs[run] = None

    def remove(self, run: Run) -> None:
        self._runs.pop(run, None)

    def of_job(self, job_id: UUID) -> list[Run]:
        return [run for run in self._runs if run.claim.job_id == job_id]

    def __iter__(self) -> Iterator[Run]:
        return iter(tuple(self._runs))

    def __len__(self) -> int:
        return len(self._runs)
