"""Rows of jobs that ended at chosen ages, for the tests of retention: made by SQL, many at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg

from postgres_storage.builders import TENANT

DAY = timedelta(days=1)

_MAKE = """
insert into jobs (
    tenant, job_id, type, queue, payload, user_id, status, attempt, created_at, started_at, completed_at, updated_at,
    parent_job_id)
select %(tenant)s, gen_random_uuid(), 'send-mail', 'send-mail', '{}', %(tenant)s, %(status)s::job_status, 1,
    now() - %(made)s - n * interval '1 millisecond', now() - %(made)s, case when %(ended)s::interval is not null
    then now() - %(ended)s::interval end, now() - coalesce(%(ended)s, %(made)s), %(parent)s
from generate_series(1, %(count)s) n
returning job_id
"""
_DETAIL = """
insert into job_details (tenant, job_id, slot, step_name, status)
select %s, id, 'attempt:1', 'attempt 1', 'failed' from unnest(%s::uuid[]) id
"""


def make_jobs(
    admin: psycopg.Connection,
    count: int = 1,
    *,
    status: str = "completed",
    made: timedelta = 40 * DAY,
    ended: timedelta | None = None,
    tenant: UUID = TENANT,
    parent: UUID | None = None,
    details: bool = False,
) -> list[UUID]:
    """Make jobs that were made, and ended, so long ago; those of an ended state ended when they were made."""
    if ended is None and status in ("completed", "failed", "cancelled"):
        ended = made
    values: dict[str, Any] = {
        "tenant": tenant,
        "status": status,
        "made": made,
        "ended": ended,
        "count": count,
        "parent": parent,
    }
    ids = [row[0] for row in admin.execute(_MAKE, values)]
    if details:
        admin.execute(_DETAIL, (tenant, ids))
    return ids


def jobs_left(admin: psycopg.Connection, tenant: UUID | None = None) -> set[UUID]:
    """Return the ids of the jobs that are there."""
    rows = admin.execute(
        "select job_id from jobs where %(tenant)s::uuid is null or tenant = %(tenant)s", {"tenant": tenant}
    )
    return {row[0] for row in rows}


def count_of(admin: psycopg.Connection, table: str) -> int:
    """Return how many rows a table has."""
    row = admin.execute(f"select count(*) from {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])
