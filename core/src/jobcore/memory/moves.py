"""The moves of a job in the memory storage: claim, settle, cancel, requeue. Each enforces the table of legal moves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from jobcore.errors import IllegalMoveError, StaleClaimError
from jobcore.ids import uuid7
from jobcore.limits import encode_result
from jobcore.memory.rows import DetailRow, JobRow
from jobcore.memory.tables import Tables
from jobcore.models import Lease, Outcome, Settlement
from jobcore.states import RUNNING_STATES, WAITING_STATES, JobState, is_legal

_COSTS_NO_ATTEMPT = frozenset({Outcome.SNOOZED, Outcome.RELEASED})


def move(tables: Tables, row: JobRow, target: JobState) -> None:
    """Take a job to `target`. Raises `IllegalMoveError` where the table of moves does not allow it."""
    if not is_legal(row.status, target):
        raise IllegalMoveError(f"Job {row.plan.job_id} is {row.status}; it cannot become {target}.")
    row.status = target
    row.updated_at = tables.clock.now()
    if target.is_terminal:
        row.completed_at = row.updated_at
        row.lease_token = None
        tables.release_keys(row)
        tables.waiting_room.leave(row)
        row.parents = {}
        if target is JobState.COMPLETED:
            row.progress = 100.0
    tables.bell.ring()


def claim(tables: Tables, lease: Lease) -> bool:
    """Record that `lease` runs; false where the job has ended, was cancelled, or a later attempt owns it."""
    row = tables.jobs.get((lease.tenant, lease.job_id))
    if row is None or row.written_by is not None:
        return False
    if row.lease_token == lease.token:
        return True
    fresh = (row.status in WAITING_STATES and row.lane is None) or row.status in RUNNING_STATES
    if not fresh or lease.attempt <= row.attempt or row.cancel_requested is not None:
        return False
    if row.status is not JobState.PROCESSING:
        move(tables, row, JobState.PROCESSING)
    row.attempt = lease.attempt
    row.lease_token = lease.token
    row.started_at = tables.clock.now()
    return True


def owned(tables: Tables, lease: Lease) -> JobRow:
    """Return the job that `lease` may write for. Raises `StaleClaimError` if it is no longer the job's."""
    row = tables.jobs.get((lease.tenant, lease.job_id))
    if row is None or row.lease_token != lease.token or row.status not in RUNNING_STATES:
        where = "no longer exists" if row is None else f"is {row.status} at attempt {row.attempt}"
        raise StaleClaimError(f"Attempt {lease.attempt} of job {lease.job_id} lost its claim: the job {where}.")
    return row


def settle(tables: Tables, settlement: Settlement) -> bool:
    """Write how an attempt ended; false, with nothing changed, if the claim was lost meanwhile."""
    try:
        row = owned(tables, settlement.claim.lease)
    except StaleClaimError:
        return False
    outcome = settlement.outcome
    if outcome in _COSTS_NO_ATTEMPT:
        row.attempt -= 1
    elif outcome in (Outcome.RETRY, Outcome.FAILED):
        _record_attempt(tables, row, settlement)
    _TERMINAL.get(outcome, _wait_again)(tables, row, settlement)
    return True


def _complete(tables: Tables, row: JobRow, settlement: Settlement) -> None:
    row.result = settlement.result
    row.error = None
    move(tables, row, JobState.COMPLETED)


def _fail(tables: Tables, row: JobRow, settlement: Settlement) -> None:
    row.error = settlement.error
    move(tables, row, JobState.FAILED)


def _cancel(tables: Tables, row: JobRow, settlement: Settlement) -> None:
    row.error = settlement.error or row.cancel_requested
    move(tables, row, JobState.CANCELLED)


def _wait_again(tables: Tables, row: JobRow, settlement: Settlement) -> None:
    row.lease_token = None
    if row.cancel_requested is not None:
        row.error = row.cancel_requested
        move(tables, row, JobState.CANCELLED)
        return
    row.error = settlement.error
    row.run_at = tables.clock.now() + (settlement.retry_in or timedelta())
    if row.plan.admission is not None and settlement.outcome is not Outcome.RELEASED:
        hold_back(tables, row)
    else:
        move(tables, row, JobState.QUEUED)
        tables.wait_in_line(row)


def hold_back(tables: Tables, row: JobRow) -> None:
    """Let a job wait for its admission again."""
    move(tables, row, JobState.PENDING)
    tables.wait_for_admission(row)


_TERMINAL = {Outcome.COMPLETED: _complete, Outcome.FAILED: _fail, Outcome.CANCELLED: _cancel}


def _record_attempt(tables: Tables, row: JobRow, settlement: Settlement) -> None:
    attempt = settlement.claim.attempt
    write_detail(
        tables,
        row,
        f"attempt {attempt}",
        "failed",
        result=encode_result(dict(settlement.error or {})),
        metadata={"duration_ms": settlement.duration / timedelta(milliseconds=1)},
        retry_count=attempt - 1,
    )


def write_detail(
    tables: Tables,
    row: JobRow,
    step_name: str,
    status: str,
    *,
    result: bytes | None = None,
    metadata: Mapping[str, Any] | None = None,
    retry_count: int = 0,
) -> UUID:
    """Add a detail of a job, or update the one of this step name; return its id."""
    details = tables.details[row.key]
    known = details.get(step_name)
    details[step_name] = DetailRow(
        detail_id=uuid7() if known is None else known.detail_id,
        step_name=step_name,
        status=status,
        result=result,
        processed_at=tables.clock.now(),
        retry_count=retry_count,
        metadata=metadata,
    )
    return details[step_name].detail_id


def request_cancel(
    tables: Tables, row: JobRow, reason: str | None, cancelled_by: str | None, *, kind: str = "cancelled"
) -> bool:
    """Cancel a waiting job at once, mark a running one; false if the job had ended. For `kind` see `AbortControl`."""
    if row.status.is_terminal:
        return False
    row.cancel_requested = {
        "reason": reason,
        "cancelled_by": cancelled_by,
        "at": tables.clock.now().isoformat(),
    }
    if row.status in WAITING_STATES:
        row.error = row.cancel_requested
        move(tables, row, JobState.CANCELLED)
    elif (abort := tables.aborts.get(row.key)) is not None:
        abort.abort(reason or "cancelled", by=cancelled_by, kind=kind)
    return True


def requeue(tables: Tables, row: JobRow) -> bool:
    """Queue an ended job again, by an operator's wish, with its attempts renewed; false if it has not ended so."""
    if row.status not in (JobState.FAILED, JobState.CANCELLED):
        return False
    row.epoch += 1
    move(tables, row, JobState.QUEUED if row.plan.admission is None else JobState.PENDING)
    row.max_attempts = row.attempt + row.plan.max_attempts
    row.error = row.cancel_requested = row.completed_at = row.result = None
    row.progress = row.progress_message = None
    row.rescues = 0
    row.run_at = tables.clock.now()
    tables.hold_keys(row)
    if row.plan.admission is None:
        tables.wait_in_line(row)
    else:
        tables.wait_for_admission(row)
    return True
