"""Jobs and settlements as the JSON that the SQL functions take. Payloads and results pass through as they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson

from jobcore.models import NewJob, Settlement
from jobcore_pgboss.identity import RUNNER_TYPE
from jobcore_pgboss.runs import Run
from jobcore_pgboss.settings import PgBossSettings


def encode_jobs(jobs: Sequence[NewJob], settings: PgBossSettings) -> str:
    """Return what `pgboss_enqueue` takes."""
    return orjson.dumps([_job(job, settings) for job in jobs]).decode()


def expire_seconds(job: NewJob, settings: PgBossSettings) -> int:
    """How long an attempt may be active before it counts as stuck."""
    return math.ceil(job.timeout.total_seconds()) + settings.expiry_margin_seconds


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
    element: dict[str, Any] = {
        "id": job.job_id,
        "tenant": job.tenant,
        "type": job.name,
        "payload": orjson.Fragment(job.payload),
        "queue": job.queue,
        "priority": job.priority,
        "max_attempts": job.max_attempts,
        "user_id": job.user_id,
        "runner_type": RUNNER_TYPE,
        "status": "queued",
        "retry_limit": job.max_attempts - 1,
        "retry_delay": math.ceil(job.retry_delay.total_seconds()),
        "retry_backoff": job.retry_backoff > 1,
        "retry_delay_max": math.ceil(job.retry_delay_max.total_seconds()),
        "expire_seconds": expire_seconds(job, settings),
        "heartbeat_seconds": settings.lease_seconds,
    }
    optional = {
        "run_at": job.run_at,
        "delay_ms": None if job.delay is None else _milliseconds(job.delay),
        "metadata": dict(job.metadata) or None,
        "dedupe_key": job.dedupe_key,
        "singleton_key": job.singleton_key,
        "schedule_id": job.schedule_id,
        "fire_time": job.fire_time,
        "parent_job_id": job.parent_job_id,
        "trace_context": None if job.trace_context is None else dict(job.trace_context),
    }
    element.update((key, value) for key, value in optional.items() if value is not None)
    return element


def _milliseconds(duration: timedelta) -> float:
    return duration / timedelta(milliseconds=1)
