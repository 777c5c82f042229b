"""Assertions about what was enqueued; a failure lists what was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from jobcore.app.facade import JobApp
from jobcore.handlers.definition import HandlerDefinition
from jobcore.handlers.payload import dump_payload
from jobcore.handlers.registry import AnyHandler
from jobcore.models import JobFilter, JobRecord


async def assert_enqueued(
    app: JobApp,
    job: AnyHandler | str,
    data: Any = None,
    *,
    tenant: UUID | str | None = None,
    count: int | None = None,
    **fields: Any,
) -> JobRecord:
    """Assert that jobs of this name were enqueued, and return the newest one that matches.

    Args:
        job: the handler, or its name.
        data: values that the payload must have: a model, or a mapping with some of its JSON fields.
        tenant: whose job; anybody's if not given.
        count: how many must match, 1 or more; any number of them if not given.
        fields: values that the job's record must have, such as `priority=5` or `status="queued"`.

    Raises:
        AssertionError: with the jobs that were enqueued instead.
    """
    name = job.name if isinstance(job, HandlerDefinition) else job
    wanted = dump_payload(data)
    enqueued = await app.find_jobs(tenant, JobFilter(limit=1000))
    found = [record for record in enqueued if record.type == name and _matches(record, wanted, fields)]
    if not found or len(found) != (count or len(found)):
        expected = "a job" if count is None else f"{count} jobs"
        raise AssertionError(
            f"Expected {expected} {name!r} with {_describe(wanted, fields)}; {len(found)} match. "
            f"Enqueued: {'; '.join(map(_show, enqueued)) or 'nothing'}."
        )
    return found[0]


async def assert_not_enqueued(
    app: JobApp, job: AnyHandler | str, data: Any = None, *, tenant: UUID | str | None = None, **fields: Any
) -> None:
    """Assert that no job matches; the arguments are those of `assert_enqueued`. Raises `AssertionError`."""
    name = job.name if isinstance(job, HandlerDefinition) else job
    wanted = dump_payload(data)
    for record in await app.find_jobs(tenant, JobFilter(limit=1000)):
        if record.type == name and _matches(record, wanted, fields):
            raise AssertionError(
                f"Expected no job {name!r} with {_describe(wanted, fields)}; there is {_show(record)}."
            )


def _matches(record: JobRecord, wanted: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    payload: Mapping[str, Any] = record.payload
    return all(key in payload and payload[key] == value for key, value in wanted.items()) and all(
        getattr(record, key) == value for key, value in fields.items()
    )


def _describe(wanted: Mapping[str, Any], fields: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in {**wanted, **fields}.items()) or "any payload"


def _show(record: JobRecord) -> str:
    return f"{record.type} {record.payload} ({record.status})"
