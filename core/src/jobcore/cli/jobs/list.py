"""`jobcore jobs list`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.documents import job_document
from jobcore.cli.options import AnyTenant, AsJson, read_since, tenant_or_all
from jobcore.models import JobFilter
from jobcore.states import JobState

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.models import JobRecord


def list_jobs(
    *,
    state: Annotated[
        list[JobState] | None, typer.Option(metavar="STATE", help="In this state; repeat for more.")
    ] = None,
    name: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Of this name; repeat for more.")] = None,
    runner: Annotated[list[str] | None, typer.Option(metavar="NAME", help="On this engine; repeat for more.")] = None,
    tenant: AnyTenant = "all",
    since: Annotated[
        str | None,
        typer.Option(metavar="INSTANT|DURATION", help="Made since 2026-05-01T09:00:00Z, or within the last '2 hours'."),
    ] = None,
    before: Annotated[
        UUID | None, typer.Option(metavar="JOB", help="Continue after this job, the last one of the page before.")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List jobs, the newest first."""
    where = JobFilter(
        states=tuple(state or ()),
        names=tuple(name or ()),
        runner_types=tuple(runner or ()),
        created_after=read_since(since),
        before=before,
        limit=limit,
    )

    async def work(application: JobApp) -> Sequence[JobRecord]:
        return await application.find_jobs(tenant_or_all(tenant), where)

    jobs = ask(work)
    if as_json:
        output.show_document({"jobs": [job_document(job) for job in jobs]})
        return
    output.show_table(
        ("job", "name", "status", "attempt", "runner", "tenant", "created", "error"),
        [_row(job) for job in jobs],
        empty="No job fits.",
    )
    if len(jobs) == limit:
        output.note(f"There may be more: continue with --before {jobs[-1].job_id}")


def _row(job: JobRecord) -> tuple[object, ...]:
    return (
        job.job_id,
        job.type,
        job.status.value,
        f"{job.attempt}/{job.max_attempts}",
        job.runner_type,
        job.tenant,
        job.created_at,
        _brief(job.as_status.error or ""),
    )


def _brief(text: str) -> str:
    first = text.strip().partition("\n")[0]
    return first if len(first) <= 80 else f"{first[:79]}…"
