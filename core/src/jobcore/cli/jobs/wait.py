"""`jobcore jobs wait`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from jobcore.cli.application import ask
from jobcore.cli.job_view import code_of, show_job
from jobcore.cli.options import AsJson, JobId, Tenant, Timeout, read_duration
from jobcore.cli.progress import wait_for_job

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.models import JobRecord


def wait_for_one_job(job: JobId, tenant: Tenant = "system", timeout: Timeout = None, as_json: AsJson = False) -> None:
    """Wait until a job has ended, and show how.

    Exits with 1 if it failed or was cancelled, with 7 after --timeout.
    """
    patience = read_duration("--timeout", timeout)

    async def work(application: JobApp) -> JobRecord:
        return await wait_for_job(application, tenant, job, patience)

    record = ask(work)
    show_job(record, as_json=as_json)
    raise typer.Exit(code_of(record))
