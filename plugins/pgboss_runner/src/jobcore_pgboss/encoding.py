"""Jobs and settlements as the JSON that the SQL functions take. Payloads and results pass through as they are."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import orjson

from jobcore.models import AlikeJobs, NewJob, OnConflict, Settlement
from jobcore.policies.admission import as_document
from jobcore.states import JobState
from jobcore_pgboss.identity import RUNNER_TYPE
from jobcore_pgboss.refusals import LONGEST_EXPIRATION, SHORTEST_HEARTBEAT
from jobcore_pgboss.runs import Run
from jobcore_pgboss.settings import PgBossSettings


def encode_jobs(jobs: Sequence[NewJob], settings: PgBossSettings) -> str:
    """Return what `pgboss_enqueue` takes."""
    return orjson.dumps([_job(job, settings) for job in jobs]).decode()


def is_plain(jobs: Sequence[NewJob] | AlikeJobs) -> bool:
    """Whether `pgboss_add` takes these jobs: they differ in their ids, tenants and payloads only, and have no more."""
    if isinstance(jobs, AlikeJobs):
        return _is_like(jobs.common, jobs.common)
    return all(_is_like(jobs[0], job) for job in jobs)


def encode_plain_jobs(jobs: Sequence[NewJob] | AlikeJobs, settings: PgBossSettings) -> tuple[str, str, str, str] | None:
    """Return what `pgboss_add` takes, or `None` if these jobs differ in more than their ids, tenants and payloads."""
    if not is_plain(jobs):
        return None
    alike = jobs if isinstance(jobs, AlikeJobs) else _by_columns(jobs)
    return (
        orjson.dumps({**_common(alike.common, settings), "metadata": dict(alike.common.metadata)}).decode(),
        array_of(job_id.hex for job_id in alike.ids),
        array_of(tenant.hex for tenant in alike.tenants),
        f"[{b','.join(alike.payloads).decode()}]",
    )


def array_of(elements: Iterable[str]) -> str:
    """A PostgreSQL array of elements that need no quotes, as text: the server reads it faster than we could pack it."""
    return f"{{{','.join(elements)}}}"


def expire_seconds(job: NewJob, settings: PgBossSettings) -> int:
    """How long an attempt may be active before it counts as stuck."""
    return min(math.ceil(job.timeout.total_seconds()) + settings.expiry_margin_seconds, LONGEST_EXPIRATION)


def encode_settlement(run: Run, settlement: Settlement) -> dict[str, Any]:
    """Return one element of what `pgboss_settle` takes."""
    element = run.reference
    element["outcome"] = settlement.outcome
    element["duration_ms"] = _milliseconds(settlement.duration)
    if settlement.result is not None:
        element["result"] = orjson.Fragment(settlement.result)
    if settlement.error is not None:
        element["error"] = dict(settlement.error)
    if settlement.retry_in is not None:
        element["run_at_ms"] = _milliseconds(settlement.retry_in)
    if settlement.started_at is not None:
        element["started_at"] = settlement.started_at
    return element


def _job(job: NewJob, settings: PgBossSettings) -> dict[str, Any]:
    element = {
        "id": job.job_id,
        "tenant": job.tenant,
        "payload": orjson.Fragment(job.payload),
        **_common(job, settings),
    }
    optional = {
        "run_at": job.run_at,
        "delay_ms": None if job.delay is None else _milliseconds(job.delay),
        "metadata": dict(job.metadata) or None,
        "dedupe_key": job.dedupe_key,
        "singleton_key": job.singleton_key,
        "schedule_id": job.schedule_id,
        "fire_time": job.fire_time,
        "trace_context": None if job.trace_context is None else dict(job.trace_context),
    }
    if job.on_conflict is not OnConflict.SKIP:
        window = None if job.window is None else _milliseconds(job.window)
        optional |= {"on_conflict": job.on_conflict, "window_ms": window}
    if job.admission is not None:
        optional |= {"status": JobState.PENDING, "admission": as_document(job.tenant, job.admission)}
    element.update((key, value) for key, value in optional.items() if value is not None)
    return element


def _common(job: NewJob, settings: PgBossSettings) -> dict[str, Any]:
    """What the jobs of one handler usually have in common."""
    return {
        "type": job.name,
        "queue": job.queue,
        "priority": job.priority,
        "max_attempts": job.max_attempts,
        "user_id": job.user_id,
        "parent_job_id": job.parent_job_id,
        "runner_type": RUNNER_TYPE,
        "status": "queued",
        "retry_limit": job.max_attempts - 1,
        "retry_delay": math.ceil(job.retry_delay.total_seconds()),
        "retry_backoff": job.retry_backoff > 1,
        "retry_delay_max": math.ceil(job.retry_delay_max.total_seconds()),
        "expire_seconds": expire_seconds(job, settings),
        "heartbeat_seconds": max(settings.lease_seconds, SHORTEST_HEARTBEAT),
    }


def _by_columns(jobs: Sequence[NewJob]) -> AlikeJobs:
    alike = AlikeJobs(jobs[0], ())
    alike.ids = [job.job_id for job in jobs]
    alike.tenants = [job.tenant for job in jobs]
    alike.payloads = [job.payload for job in jobs]
    return alike


def _is_like(first: NewJob, job: NewJob) -> bool:
    """Whether a job has what `_common` says of the first, and nothing beside: no key, no time, no schedule."""
    return (
        job.name == first.name
        and job.queue == first.queue
        and job.priority == first.priority
        and job.max_attempts == first.max_attempts
        and job.user_id == first.user_id
        and job.parent_job_id == first.parent_job_id
        and job.metadata == first.metadata
        and job.retry_delay == first.retry_delay
        and job.retry_backoff == first.retry_backoff
        and job.retry_delay_max == first.retry_delay_max
        and job.timeout == first.timeout
        and job.run_at is None
        and job.delay is None
        and job.dedupe_key is None
        and job.singleton_key is None
        and job.schedule_id is None
        and job.trace_context is None
        and job.admission is None
    )


def _milliseconds(duration: timedelta) -> float:
    return duration / timedelta(milliseconds=1)
