"""What the SQL functions take: JSON arrays of jobs, leases and settlements, checked before they leave."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from jobcore.errors import InputError, NaiveDatetimeError, PayloadLimitError
from jobcore.limits import DEFAULT_LIMITS, PayloadLimits, encode_payload
from jobcore.models import Lease, NewJob, Settlement
from jobcore.policies.admission import as_document
from jobcore.states import JobState

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def new_jobs(jobs: Iterable[NewJob], status: JobState, limits: PayloadLimits = DEFAULT_LIMITS) -> str:
    """Return the argument of `jobcore.job_new`.

    Args:
        status: `pending`, or `queued` for jobs that the same transaction gives to an engine.

    Raises:
        PayloadLimitError: if a payload is too large or holds what PostgreSQL cannot store.
        InputError: if a key does, or a time is naive.
    """
    return array([new_job(job, status, limits) for job in jobs])


def leases(items: Sequence[Lease]) -> str:
    """Return the argument of `jobcore.job_claim`."""
    return array(
        [{"tenant": item.tenant, "job_id": item.job_id, "attempt": item.attempt, "token": item.token} for item in items]
    )


def settlements(items: Iterable[Settlement], worker: object = None) -> str:
    """Return the argument of `jobcore.job_settle`. Raises `PayloadLimitError` for a result that cannot be stored."""
    return array([settlement(item, worker) for item in items])


def json_text(value: Any, what: str) -> str:
    """Return `value` as JSON that PostgreSQL can store. Raises `PayloadLimitError`; `what` names the value."""
    return stored_json(encode_payload(value), what).decode()


def stored_json(encoded: bytes, what: str, max_bytes: int = DEFAULT_LIMITS.max_bytes) -> bytes:
    """Return `encoded` if PostgreSQL can store it: JSON of at most `max_bytes`, without NUL characters.

    Raises:
        PayloadLimitError: with `what` in the message.
    """
    if len(encoded) > max_bytes:
        raise PayloadLimitError(
            f"{what} has {len(encoded):,} bytes; at most {max_bytes:,} are accepted. "
            "Store large content elsewhere and keep its address."
        )
    if b"\x00" in encoded or _NUL.search(encoded):
        raise PayloadLimitError(f"{what} holds a NUL character, which PostgreSQL cannot store.")
    return encoded


def plain_text(value: str | None, what: str) -> str | None:
    """Return `value` if PostgreSQL can store it as text. Raises `InputError` for a NUL character."""
    if value is not None and "\x00" in value:
        raise InputError(f"{what} holds a NUL character, which PostgreSQL cannot store.")
    return value


def milliseconds(value: timedelta | None) -> float | None:
    return None if value is None else value / timedelta(milliseconds=1)


def new_job(job: NewJob, status: JobState, limits: PayloadLimits = DEFAULT_LIMITS) -> dict[str, Any]:
    """Return one element of what `jobcore.job_new` takes. Raises as `new_jobs`."""
    what = f"The payload of job {job.name!r} ({job.job_id})"
    return {
        "id": job.job_id,
        "tenant": job.tenant,
        "type": plain_text(job.name, "The job's name"),
        "payload": orjson.Fragment(stored_json(job.payload, what, limits.max_bytes)),
        "queue": plain_text(job.queue, "The queue's name"),
        "priority": job.priority,
        "run_at": _aware(job.run_at, "run_at"),
        "delay_ms": milliseconds(job.delay),
        "max_attempts": job.max_attempts,
        "user_id": job.user_id,
        "metadata": _fragment(job.metadata, "metadata", limits) if job.metadata else None,
        "dedupe_key": plain_text(job.dedupe_key, "The dedupe key"),
        "singleton_key": plain_text(job.singleton_key, "The singleton key"),
        "schedule_id": job.schedule_id,
        "fire_time": _aware(job.fire_time, "fire_time"),
        "parent_job_id": job.parent_job_id,
        "trace_context": job.trace_context,
        "runner_type": job.runner_type,
        "status": status.value,
        "admission": None if job.admission is None else as_document(job.tenant, job.admission),
    }


def settlement(item: Settlement, worker: object = None) -> dict[str, Any]:
    """Return one element of what `jobcore.job_settle` takes. Raises as `settlements`."""
    lease = item.claim.lease
    return {
        "tenant": lease.tenant,
        "job_id": lease.job_id,
        "attempt": lease.attempt,
        "token": lease.token,
        "outcome": item.outcome.value,
        "result": None if item.result is None else orjson.Fragment(stored_json(item.result, "The result")),
        "error": item.error,
        "run_at_ms": milliseconds(item.retry_in),
        "started_at": item.started_at,
        "duration_ms": milliseconds(item.duration),
        "worker": worker,
    }


def _fragment(value: Mapping[str, Any], what: str, limits: PayloadLimits) -> orjson.Fragment:
    return orjson.Fragment(stored_json(encode_payload(value, limits), f"The {what}", limits.max_bytes))


def _aware(instant: datetime | None, name: str) -> datetime | None:
    if instant is not None and instant.tzinfo is None:
        raise NaiveDatetimeError(f"{name} has no time zone ({instant}): nobody can say which instant is meant.")
    return instant


def array(elements: Sequence[Mapping[str, Any]]) -> str:
    """Return a JSON array of these elements."""
    return orjson.dumps(list(elements)).decode()
