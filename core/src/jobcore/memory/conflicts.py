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
    if holder is None:
        return None
    tables.release_keys(holder)
    effect = None if job.on_conflict is OnConflict.THROTTLE else partial(_displace, tables, holder, job)
    connection.stage(effect=effect, undo=partial(_give_back, tables, holder))
    return None


def _give_back(tables: Tables, holder: JobRow) -> None:
    if not holder.status.is_terminal:
        tables.hold_keys(holder)


def _displace(tables: Tables, holder: JobRow, job: NewJob) -> None:
    word = "superseded" if job.on_conflict is OnConflict.SUPERSEDE else "replaced"
    if word == "superseded" or holder.status in WAITING_STATES:
        moves.request_cancel(tables, holder, f"{word} by job {job.job_id}", None, kind=word)
