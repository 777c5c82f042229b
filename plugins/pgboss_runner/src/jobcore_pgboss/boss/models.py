"""What the verbs answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from jobcore.execution.abort import Abort


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as its handler gets it. Durations are in seconds."""

    id: UUID
    name: str
    """Its queue."""
    data: Any
    expire_in_seconds: int
    heartbeat_seconds: int | None
    retry_count: int
    """How often it was tried before."""
    group_id: str | None
    group_tier: str | None
    signal: Abort = field(default_factory=Abort, compare=False, repr=False)
    """Aborted when the job outlived its time-out or heartbeat, or its worker ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobWithMetadata(Job):
    """A job with everything that its row tells."""

    state: str
    """created, retry, active, completed, cancelled or failed."""
    priority: int
    retry_limit: int
    retry_delay: int
    retry_backoff: bool
    retry_delay_max: int | None
    start_after: datetime
    started_on: datetime | None
    created_on: datetime
    completed_on: datetime | None
    keep_until: datetime
    delete_after_seconds: int
    singleton_key: str | None
    singleton_on: datetime | None
    policy: str | None
    heartbeat_on: datetime | None
    blocked: bool
    blocking: bool
    pending_dependencies: int
    """Parents that have not completed."""
    dead_letter: str | None
    output: Any
    source_name: str | None
    """For a job in a dead letter queue: which queue it comes from."""
    source_id: UUID | None
    source_created_on: datetime | None
    source_retry_count: int | None
    source_output: Any
    source_root_id: UUID | None


def job_of(row: Mapping[str, Any]) -> Job:
    """Read a row of `pgboss.job`, as `to_jsonb` gives it."""
    return Job(**_brief(row))


def job_with_metadata_of(row: Mapping[str, Any]) -> JobWithMetadata:
    """Read a row of `pgboss.job`, as `to_jsonb` gives it, whatever version of the schema it comes from."""
    return JobWithMetadata(
        **_brief(row),
        state=row["state"],
        priority=row["priority"],
        retry_limit=row["retry_limit"],
        retry_delay=row["retry_delay"],
        retry_backoff=row["retry_backoff"],
        retry_delay_max=row["retry_delay_max"],
        start_after=instant(row["start_after"]),
        started_on=instant_or_none(row["started_on"]),
        created_on=instant(row["created_on"]),
        completed_on=instant_or_none(row["completed_on"]),
        keep_until=instant(row["keep_until"]),
        delete_after_seconds=row["deletion_seconds"],
        singleton_key=row["singleton_key"],
        singleton_on=instant_or_none(row["singleton_on"]),
        policy=row["policy"],
        heartbeat_on=instant_or_none(row["heartbeat_on"]),
        blocked=row["blocked"],
        blocking=row["blocking"],
        pending_dependencies=row.get("pending_dependencies", 0),
        dead_letter=row["dead_letter"],
        output=row["output"],
        source_name=row["source_name"],
        source_id=_id_or_none(row["source_id"]),
        source_created_on=instant_or_none(row["source_created_on"]),
        source_retry_count=row["source_retry_count"],
        source_output=row.get("source_output"),
        source_root_id=_id_or_none(row.get("source_root_id")),
    )


def instant(text: str) -> datetime:
    """Read an instant as PostgreSQL writes it into JSON."""
    return datetime.fromisoformat(text)


def instant_or_none(text: str | None) -> datetime | None:
    """The same, where there may be none."""
    return None if text is None else instant(text)


def _brief(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": UUID(row["id"]),
        "name": row["name"],
        "data": row["data"],
        "expire_in_seconds": row["expire_seconds"],
        "heartbeat_seconds": row["heartbeat_seconds"],
        "retry_count": row["retry_count"],
        "group_id": row["group_id"],
        "group_tier": row["group_tier"],
    }


def _id_or_none(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)
