"""From a waiting job to a claim, and from a claim to its settlement: one run, as every mode of the runner does it."""

from __future__ import annotations

from collections.abc import Iterable

from jobcore.ids import uuid7
from jobcore.memory import moves
from jobcore.memory.rows import JobRow
from jobcore.memory.session import MemorySession
from jobcore.memory.store import MemoryStore
from jobcore.memory.tables import Tables
from jobcore.models import TRIGGER_KEY, Claim, Lease, NewJob, Outcome, Settlement, Trigger
from jobcore.ports.runner import WorkerHost


def take_next(store: MemoryStore, queues: Iterable[str] | None = None) -> Claim | None:
    """Claim the most important due job of these queues (`None` is all), once those that may were admitted."""
    tables = store.tables
    while store.admit_now().more:
        pass
    while (row := tables.line.pop(tables.line.queues() if queues is None else queues, tables.clock.now())) is not None:
        if tables.waiting_room.is_paused(row):
            moves.hold_back(tables, row)
        elif (claim := take(tables, row)) is not None:
            return claim
    return None


def take(tables: Tables, row: JobRow) -> Claim | None:
    """Claim this job, whatever its time; `None` if it may not run."""
    plan = row.plan
    lease = Lease(plan.job_id, plan.tenant, row.attempt + 1, uuid7().hex)
    if not moves.claim(tables, lease):
        return None
    return Claim(
        lease=lease,
        name=plan.name,
        queue=plan.queue,
        payload=plan.payload,
        max_attempts=row.max_attempts,
        created_at=row.created_at,
        priority=plan.priority,
        runner_type=plan.runner_type,
        retry_delay=plan.retry_delay if _is_scheduled(plan) else None,
    )


def _is_scheduled(plan: NewJob) -> bool:
    return plan.schedule_id is not None or plan.metadata.get(TRIGGER_KEY) == Trigger.CRON_TRIGGER


async def run_claim(store: MemoryStore, host: WorkerHost, claim: Claim) -> Outcome:
    """Run a claim's handler and write how it ended; a cancelled run hands its job back."""
    tables = store.tables
    key = (claim.tenant, claim.job_id)
    abort = tables.aborts[key] = host.new_abort()
    try:
        settlement = await host.executor.execute(claim, MemorySession(store, claim, host.submit), abort)
    finally:
        del tables.aborts[key]
        tables.bell.ring()
    host.observe.job_settled(settlement, _write(tables, settlement))
    return settlement.outcome


def _write(tables: Tables, settlement: Settlement) -> bool:
    """Write a settlement; one that the handler committed itself stands, and a lost claim leaves nothing to write."""
    if settlement.settled:
        return settlement.outcome is Outcome.COMPLETED
    return moves.settle(tables, settlement)
