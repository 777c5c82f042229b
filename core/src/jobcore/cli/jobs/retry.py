"""`jobcore jobs retry`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from jobcore.cli.jobs.acting import act_on_jobs
from jobcore.cli.options import AsJson, Tenant

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp


def retry_job(
    jobs: Annotated[list[UUID], typer.Argument(metavar="JOB...", help="The jobs' ids.")],
    tenant: Tenant = "system",
    as_json: AsJson = False,
) -> None:
    """Queue failed or cancelled jobs again.

    Their attempts are renewed. Exits with 1 if one of them is in another state.
    """

    async def act(application: JobApp, job: UUID) -> bool:
        return await application.retry(tenant, job)

    act_on_jobs(
        jobs,
        tenant,
        act,
        done="queued again",
        refused="cannot be retried; it is {status}, and only failed and cancelled jobs can",
        as_json=as_json,
    )
