"""`jobcore jobs show`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from jobcore.cli.application import ask
from jobcore.cli.job_view import show_job
from jobcore.cli.jobs.tree import show_tree
from jobcore.cli.options import AsJson, JobId, Tenant
from jobcore.ports.reasons import Severity
from jobcore.states import JobState

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.app.queries import Relative
    from jobcore.models import DetailRecord, JobRecord
    from jobcore.ports.reasons import Reason

AsTree = Annotated[bool, typer.Option("--tree", help="Show the jobs that hang together with it: its whole flow.")]


def show_one_job(job: JobId, tenant: Tenant = "system", tree: AsTree = False, as_json: AsJson = False) -> None:
    """Show all that is known of a job.

    Its payload, progress, result and error, its failed attempts, its durable steps and the items that it reported; what
    it waits for while it is pending. With --tree, a line for each job that waited for it or that it waited for, that it
    enqueued or was enqueued by.
    """

    async def work(application: JobApp) -> tuple[JobRecord, Sequence[DetailRecord], Sequence[Reason]]:
        record = await application.get_job(tenant, job)
        return record, await application.details(tenant, job), await _waits_for(application, record)

    async def look_around(application: JobApp) -> Sequence[Relative]:
        return await application.relatives(tenant, job)

    if tree:
        show_tree(ask(look_around), as_json=as_json)
        return
    record, details, waits_for = ask(work)
    show_job(record, details, waits_for, as_json=as_json)


async def _waits_for(application: JobApp, record: JobRecord) -> Sequence[Reason]:
    if record.status is not JobState.PENDING:
        return ()
    told = await application.why(record.job_id, tenant=record.tenant, for_operator=True)
    return [reason for reason in told.reasons if reason.severity in (Severity.BLOCKED, Severity.WAITING)]
