"""From rows to records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from jobcore.models import DetailRecord, JobRecord, MissedFires, Overlap, Schedule, WorkerRecord
from jobcore.states import JobState

Row = Mapping[str, Any]


def job_record(row: Row) -> JobRecord:
    values: dict[str, Any] = {**row, "status": JobState(row["status"])}
    return JobRecord(**values)


def detail_record(row: Row) -> DetailRecord:
    return DetailRecord(**row)


def schedule_record(row: Row) -> Schedule:
    return Schedule(
        tenant=row["tenant"],
        schedule_id=row["schedule_id"],
        key=row["key"],
        name=row["name"],
        handler=row["handler"],
        pattern=row["pattern"],
        interval=duration(row["interval_ms"]),
        timezone=row["timezone"],
        payload=row["payload"].encode(),
        enabled=row["enabled"],
        max_attempts=row["max_attempts"],
        backoff=duration(row["backoff_ms"]),
        missed=MissedFires(row["missed"]),
        missed_limit=row["missed_limit"],
        overlap=Overlap(row["overlap"]),
        jitter=timedelta(milliseconds=row["jitter_ms"]),
        runner_type=row["runner_type"],
        anchor=row["anchor"],
        next_fire=row["next_fire"],
        last_fire=row["last_fire"],
        last_job_id=row["last_job_id"],
    )


def worker_record(row: Row) -> WorkerRecord:
    values: dict[str, Any] = {**row, "handlers": tuple(row["handlers"]), "queues": tuple(row["queues"])}
    return WorkerRecord(**values)


def duration(milliseconds: int | None) -> timedelta | None:
    return None if milliseconds is None else timedelta(milliseconds=milliseconds)
