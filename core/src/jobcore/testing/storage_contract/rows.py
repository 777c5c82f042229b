"""Rows for the behaviours of a storage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from jobcore.ids import uuid7
from jobcore.models import Enqueued, Lease, NewJob, Schedule
from jobcore.ports.store import JobStore
from jobcore.testing.storage_contract.harness import StorageHarness


def new_job(tenant: UUID, **fields: Any) -> NewJob:
    """Return a job of an engine that does not exist: the storage is not to care."""
    values: dict[str, Any] = {
        "job_id": uuid7(),
        "tenant": tenant,
        "name": "send-mail",
        "payload": json.dumps({"tenantId": str(tenant)}).encode(),
        "runner_type": "elsewhere",
        "queue": "send-mail",
    }
    return NewJob(**{**values, **fields})


def lease_of(job: NewJob, attempt: int = 1) -> Lease:
    return Lease(job.job_id, job.tenant, attempt, uuid4().hex)


async def recorded(harness: StorageHarness, tenant: UUID | None = None, **fields: Any) -> NewJob:
    """Record a job, of a tenant of its own unless one is named."""
    job = new_job(uuid4() if tenant is None else tenant, **fields)
    await harness.store.create_job(job)
    return job


async def claimed(harness: StorageHarness, attempt: int = 1, **fields: Any) -> Lease:
    """Record a job and claim it."""
    lease = lease_of(await recorded(harness, **fields), attempt)
    assert await harness.store.claim([lease], worker_id=uuid4()) == [True]
    return lease


def new_schedule(tenant: UUID, **fields: Any) -> Schedule:
    values: dict[str, Any] = {
        "tenant": tenant,
        "schedule_id": uuid7(),
        "key": "nightly",
        "name": "Nightly",
        "handler": "send-mail",
        "interval": timedelta(hours=1),
        "payload": json.dumps({"tenantId": str(tenant)}).encode(),
    }
    return Schedule(**{**values, **fields})


def plan(schedule: Schedule, fire_time: datetime) -> NewJob:
    """Return the job of one fire, as an application would."""
    return new_job(schedule.tenant, name=schedule.handler, schedule_id=schedule.schedule_id, fire_time=fire_time)


class Submission:
    """Records fires in the transaction that it is given, as a runner would."""

    def __init__(self, store: JobStore) -> None:
        self._store = store

    async def __call__(self, jobs: Sequence[NewJob], connection: Any) -> Sequence[Enqueued]:
        return [await self._store.create_job(job, connection=connection) for job in jobs]
