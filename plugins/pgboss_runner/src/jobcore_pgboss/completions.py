"""The short way to write the usual end: a job completed, and its queue row may go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

import orjson

from jobcore.models import Outcome, Settlement
from jobcore_pgboss.encoding import array_of
from jobcore_pgboss.runs import Run
from jobcore_pgboss.statements import statement
from jobcore_postgres.background.link import Connection, rows_of

Completion = tuple[Run, Settlement]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Completions:
    """Writes completions by arrays. Those that it cannot write are for the long way, which tells why.

    A queue whose ended rows are kept shows itself by that.
    """

    def __init__(self) -> None:
        self.worker_id: UUID | None = None
        """In whose name they are written."""
        self._avoided: set[str] = set()

    def suit(self, run: Run, settlement: Settlement) -> bool:
        """Whether this end may go the short way."""
        return settlement.outcome is Outcome.COMPLETED and run.receipt.queue not in self._avoided

    def avoid(self, queue: str) -> None:
        """Take the long way in this queue from now on: the short one was tried in vain."""
        self._avoided.add(queue)

    async def write(self, connection: Connection, completions: Sequence[Completion]) -> set[int]:
        """Write these, and return the positions (from 0) of those that are written. Raises `psycopg.Error`."""
        runs = [run for run, _ in completions]
        rows = await rows_of(
            connection,
            statement("complete"),
            _texts(run.receipt.queue for run in runs),
            array_of(run.claim.lease.job_id.hex for run in runs),
            array_of(map(_tenant_text, (run.claim.lease.tenant for run in runs))),
            array_of(str(run.receipt.retry_count) for run in runs),
            array_of(str(run.receipt.started_us) for run in runs),
            array_of(_began_us(settlement) for _, settlement in completions),
            _results([settlement for _, settlement in completions]),
            self.worker_id,
        )
        return {position - 1 for (position,) in rows}


@lru_cache(maxsize=4096)
def _tenant_text(tenant: UUID) -> str:
    """A tenant as queue rows name it; few tenants have many jobs, and to write a UUID costs half a microsecond."""
    return str(tenant)


def _texts(elements: Iterable[str]) -> str:
    return array_of('"' + element.replace("\\", "\\\\").replace('"', '\\"') + '"' for element in elements)


def _began_us(settlement: Settlement) -> str:
    return "null" if settlement.started_at is None else str((settlement.started_at - _EPOCH) // _MICROSECOND)


def _results(settlements: Sequence[Settlement]) -> str | None:
    """All results as one JSON array, or `None` if there is none."""
    results = [settlement.result for settlement in settlements]
    if not any(results):
        return None
    return orjson.dumps([None if result is None else orjson.Fragment(result) for result in results]).decode()
