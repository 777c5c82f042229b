"""An application on pgboss that is asked why its jobs do not run."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from jobcore import JobApp, JobContext, RetryPolicy, job
from jobcore.ids import uuid7
from jobcore.models import WorkerRecord
from jobcore.ports import Explanation, Reason
from jobcore.testing.apps import quiet_settings
from pgboss_runner.harness import TENANT

OTHER_TENANT = UUID("22222222-2222-7222-8222-222222222222")


@job("ship", retry=RetryPolicy(max_attempts=3))
async def ship(ctx: JobContext, data: dict[str, Any]) -> None: ...


@asynccontextmanager
async def asking(dsn: str, **pgboss: Any) -> AsyncGenerator[JobApp]:
    """An open application with one handler, and these settings of the runner."""
    settings = quiet_settings(database={"url": dsn}, pgboss=pgboss)
    async with JobApp(settings, handlers=[ship]) as app:
        yield app


async def explain(app: JobApp, job_id: UUID | str, *, tenant: UUID = TENANT, **options: Any) -> Explanation:
    return await app.why(job_id, tenant=tenant, **options)


async def reason(app: JobApp, code: str, job_id: UUID | str, *, tenant: UUID = TENANT, operator: bool = True) -> Reason:
    """The one reason of this code."""
    explanation = await explain(app, job_id, tenant=tenant, for_operator=operator)
    found = {reason.code: reason for reason in explanation.reasons}
    assert code in found, found
    return found[code]


async def codes(app: JobApp, job_id: UUID | str, *, tenant: UUID = TENANT) -> list[str]:
    return [reason.code for reason in (await explain(app, job_id, tenant=tenant)).reasons]


async def announce(app: JobApp, *queues: str, concurrency: int = 10, **facts: Any) -> None:
    """A live worker of these queues, as far as the store knows."""
    record: dict[str, Any] = {
        "worker_id": uuid7(),
        "runner_type": "pgboss",
        "host": "box",
        "pid": 7,
        "handlers": queues,
        "queues": queues,
        "concurrency": concurrency,
    }
    await app.store.announce(WorkerRecord(**{**record, **facts}))
