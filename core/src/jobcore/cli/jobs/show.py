"""`jobcore jobs show`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from jobcore.cli.application import ask
from jobcore.cli.job_view import show_job
from jobcore.cli.jobs.tree import show_tree
from jobcore.cli.options import AsJson, JobId, Tenant

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.app.queries import Relative
    from jobcore.models import DetailRecord, JobRecord

AsTree = Annotated[bool, typer.Option("--tree", help="Show the jobs that hang together with it: its whole flow.")]


def show_one_job(job: JobId, tenant: Tenant = "system", tree: AsTree = False, as_json: AsJson = False) -> None:
    """Show all that is known of a job.

    Its payload, progress, result and error, its failed attempts, its durable steps and the items that it reported. With
    --tree, a line for each job that waited for it or that it waited for, that it enqueued or was enqueued by.
    """

    async def work(application: JobApp) -> tuple[JobRecord, Sequence[DetailRecord]]:
        return await application.get_job(tenant, job), await application.details(tenant, job)

    async def look_around(application: JobApp) -> Sequence[Relative]:
        return await application.relatives(tenant, job)

    if tree:
        show_tree(ask(look_around), as_json=as_json)
        return
    record, details = ask(work)
    show_job(record, details, as_json=as_json)
