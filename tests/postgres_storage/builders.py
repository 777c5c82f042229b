"""Jobs, leases and rows for the tests of the storage."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg

from jobcore.ids import uuid7
from jobcore.models import Enqueued, Lease, NewJob, Schedule
from jobcore.states import JobState
from jobcore_postgres import wire
from jobcore_postgres.statements import statement
from jobcore_postgres.store import PostgresStore

TENANT = UUID("11111111-1111-4111-8111-111111111111")
OTHER_TENANT = UUID("22222222-2222-4222-8222-222222222222")


def new_job(**fields: Any) -> NewJob:
    tenant = fields.get("tenant", TENANT)
    defaults: dict[str, Any] = {
        "job_id": uuid7(),
        "tenant": TENANT,
        "name": "send-mail",
        "payload": json.dumps({"tenantId": str(tenant)}).encode(),
        "runner_type": "pgboss",
        "queue": "send-mail",
    }
    return NewJob(**{**defaults, **fields})


def lease_of(job: NewJob | UUID, attempt: int = 1, *, tenant: UUID = TENANT, token: str | None = None) -> Lease:
    job_id = job if isinstance(job, UUID) else job.job_id
    return Lease(job_id, tenant, attempt, token or f"{job_id}/{attempt}/{uuid4().hex[:6]}")


def schedule(**fields: Any) -> Schedule:
    defaults: dict[str, Any] = {
        "tenant": TENANT,
        "schedule_id": uuid7(),
        "key": "nightly",
        "name": "Nightly",
        "handler": "send-mail",
        "pattern": "0 3 * * *",
    }
    return Schedule(**{**defaults, **fields})


def plan(of: Schedule, fire_time: datetime) -> NewJob:
    return new_job(tenant=of.tenant, name=of.handler, schedule_id=of.schedule_id, fire_time=fire_time)


async def submit(jobs: Iterable[NewJob], connection: Any) -> list[Enqueued]:
    """What a runner does with fires, without an engine."""
    chosen = list(jobs)
    cursor = await connection.execute(statement("job_new"), (wire.new_jobs(chosen, JobState.QUEUED),))
    return [Enqueued(job_id, deduplicated=not inserted) for _, job_id, _, inserted, _ in await cursor.fetchall()]


async def call(store: PostgresStore, function: str, *arguments: Any) -> list[dict[str, Any]]:
    """Call a set-returning function of the protocol."""
    from psycopg.rows import dict_row
    from psycopg.sql import SQL, Identifier, Placeholder
    from psycopg.types.json import Jsonb

    bound = [
        Jsonb(a, dumps=lambda v: json.dumps(v, default=str)) if isinstance(a, list) and isinstance(a[0], dict) else a
        for a in arguments
    ]
    query = SQL("select * from {}({})").format(
        Identifier("jobcore", function), SQL(", ").join([Placeholder()] * len(bound))
    )
    async with store.database.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query, bound)
        return await cursor.fetchall()


async def settle(store: PostgresStore, lease: Lease, outcome: str, **fields: Any) -> dict[str, Any]:
    element = {
        "tenant": lease.tenant,
        "job_id": lease.job_id,
        "attempt": lease.attempt,
        "token": lease.token,
        "outcome": outcome,
        **fields,
    }
    return (await call(store, "job_settle", [element]))[0]


async def running(store: PostgresStore, attempt: int = 1, **fields: Any) -> Lease:
    """Make a job and claim it."""
    job = new_job(**fields)
    await store.create_job(job)
    lease = lease_of(job, attempt, tenant=job.tenant)
    assert await store.claim([lease], worker_id=uuid4()) == [True]
    return lease


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # pyright: ignore[reportArgumentType]


async def until_blocked(admin: psycopg.Connection, sessions: int = 1) -> None:
    """Wait until so many sessions of this database wait for a lock."""
    waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    async with asyncio.timeout(10):
        while admin.execute(waiting).fetchone() != (sessions,):  # noqa: ASYNC110 - PostgreSQL has no event for it
            await asyncio.sleep(0.01)
