"""Batches whose jobs end each by its own: `work(per_job_results=True)`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args
from uuid import UUID

from jobcore_pgboss.boss.desk import Desk
from jobcore_pgboss.boss.models import Job
from jobcore_pgboss.boss.outputs import output_of

JobResultStatus = Literal["completed", "failed", "deadletter"]


@dataclass(frozen=True, slots=True)
class JobResult:
    """How one job of a batch ended."""

    id: UUID
    status: JobResultStatus
    """`deadletter` fails it for good, whatever retries it has left."""
    output: Any = None
    """What comes of it, or what went wrong."""


async def settle_each(desk: Desk, name: str, jobs: Sequence[Job], results: Any) -> None:
    """End each job as the handler's results say, all in one transaction. One that they leave out fails.

    Raises:
        TypeError: if the results are no list, or an output is no JSON.
        QueueNotFoundError, StorageUnavailableError: as `complete`.
    """
    if not isinstance(results, list):
        raise TypeError("a handler with per_job_results must return a list of JobResult")
    said = {
        result.id: result
        for result in cast("list[Any]", results)
        if isinstance(result, JobResult) and result.status in get_args(JobResultStatus)
    }
    ends = [_end(job, said.get(job.id)) for job in jobs]
    await desk.ask("settle_each", name, ends)


def _end(job: Job, result: JobResult | None) -> dict[str, Any]:
    if result is None:
        result = JobResult(job.id, "failed", LookupError("no disposition returned by handler"))
    return {
        "id": job.id,
        "attempt": job.retry_count,
        "status": result.status,
        "output": output_of(result.output),
    }
