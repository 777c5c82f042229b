"""`jobcore jobs show`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobcore.cli.application import ask
from jobcore.cli.job_view import show_job
from jobcore.cli.options import AsJson, JobId, Tenant

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.models import DetailRecord, JobRecord


def show_one_job(job: JobId, tenant: Tenant = "system", as_json: AsJson = False) -> None:
    """Show all that is known of a job.

    Its payload, progress, result and error, its failed attempts, its durable steps and the items that it reported.
    """

    async def work(application: JobApp) -> tuple[JobRecord, Sequence[DetailRecord]]:
        return await application.get_job(tenant, job), await application.details(tenant, job)

    record, details = ask(work)
    show_job(record, details, as_json=as_json)
