"""Records as JSON documents: what `--json` prints. Field names are those of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import orjson

from jobcore.models import DetailRecord, JobRecord, Schedule, WorkerRecord


def to_json(value: Any, *, indent: bool = True) -> str:
    """Return `value` as JSON text. Durations become seconds."""
    options = orjson.OPT_NON_STR_KEYS | (orjson.OPT_INDENT_2 if indent else 0)
    return orjson.dumps(value, _as_json, options).decode()


def job_document(job: JobRecord) -> dict[str, Any]:
    """Return a job as `jobs list` and `jobs show` print it."""
    return {**asdict(job), "trigger": job.trigger}


def detail_document(detail: DetailRecord) -> dict[str, Any]:
    """Return a detail as `jobs show` prints it."""
    return asdict(detail)


def schedule_document(schedule: Schedule) -> dict[str, Any]:
    """Return a schedule as `schedules` prints it; the payload as a value."""
    return {**asdict(schedule), "payload": orjson.loads(schedule.payload)}


def worker_document(worker: WorkerRecord) -> dict[str, Any]:
    """Return a live worker as `queues` and `doctor` print it."""
    return asdict(worker)


def _as_json(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return dict(cast("Mapping[Any, Any]", value))
    if isinstance(value, set | frozenset | tuple):
        return sorted(cast("set[Any]", value), key=str)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, Path):
        return str(value)
    return repr(value)
