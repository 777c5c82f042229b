"""`jobcore jobs cancel`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from jobcore.cli.jobs.acting import act_on_jobs
from jobcore.cli.login import somebody
from jobcore.cli.options import AsJson, Tenant

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp


def cancel_job(
    jobs: Annotated[list[UUID], typer.Argument(metavar="JOB...", help="The jobs' ids.")],
    tenant: Tenant = "system",
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; recorded with the job.")] = None,
    as_json: AsJson = False,
) -> None:
    """Cancel jobs that have not ended.

    A waiting job ends at once, a running one hears its signal and ends soon after. Exits with 1 if one of them had
    ended already.
    """

    async def act(application: JobApp, job: UUID) -> bool:
        return await application.cancel(tenant, job, reason=reason, cancelled_by=somebody())

    act_on_jobs(
        jobs,
        tenant,
        act,
        done="asked to stop; it is {status}",
        refused="had ended already; it is {status}",
        as_json=as_json,
    )
