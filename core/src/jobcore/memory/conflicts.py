"""What a new job does where another one holds its dedupe key."""

from __future__ import annotations

from functools import partial

from jobcore.memory import moves
from jobcore.memory.connection import MemoryConnection
from jobcore.memory.rows import JobRow
from jobcore.memory.tables import Tables
from jobcore.models import NewJob, OnConflict
from jobcore.states import WAITING_STATES


def make_way(tables: Tables, job: NewJob, connection: MemoryConnection) -> JobRow | None:
    """Let a new job have its key, as its rule says; return the job that stands for it instead, if one does.

    Whoever loses the key is cancelled at the commit, and keeps it if there is none. A job that is here already stands
    for itself, whatever became of it: to say it again displaces nobody.
    """
    if job.on_conflict is OnConflict.SKIP or (job.tenant, job.job_id) in tables.jobs:
        return None
    if job.on_conflict is OnConflict.THROTTLE and job.window is not None:
        last = tables.last_of(job)
        if last is not None and tables.clock.now() - last.created_at < job.window:
            return last
    holder = tables.holder_of(job)
    if holder is not None:
        tables.release_keys(holder)
        connection.stage(undo=partial(_give_back, tables, holder))
    if job.on_conflict is OnConflict.SUPERSEDE:
        connection.stage(effect=partial(_supersede, tables, job))
    elif job.on_conflict is OnConflict.REPLACE and holder is not None:
        connection.stage(effect=partial(_replace, tables, holder, job))
    return None


def _give_back(tables: Tables, holder: JobRow) -> None:
    if not holder.status.is_terminal:
        tables.hold_keys(holder)


def _supersede(tables: Tables, job: NewJob) -> None:
    """Cancel all that were made with the key and have not ended."""
    for row in list(tables.committed()):
        plan = row.plan
        same = (plan.tenant, plan.name, plan.dedupe_key) == (job.tenant, job.name, job.dedupe_key)
        if same and plan.job_id != job.job_id and not row.status.is_terminal:
            moves.request_cancel(tables, row, f"superseded by job {job.job_id}", None, kind="superseded")


def _replace(tables: Tables, holder: JobRow, job: NewJob) -> None:
    if holder.status in WAITING_STATES:
        moves.request_cancel(tables, holder, f"replaced by job {job.job_id}", None)
