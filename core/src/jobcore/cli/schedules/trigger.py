"""`jobcore schedules trigger`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.options import AsJson, Tenant
from jobcore.cli.schedules.view import Key

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.app.handle import AppJobHandle


def trigger_schedule(key: Key, tenant: Tenant = "system", as_json: AsJson = False) -> None:
    """Enqueue a job of this schedule now, and print its id.

    Its fires are not changed, and it may be paused.
    """

    async def work(application: JobApp) -> AppJobHandle[Any]:
        return await application.schedules.trigger(tenant, key)

    handle = ask(work)
    if as_json:
        output.show_document({"job_id": handle.job_id, "tenant": handle.tenant})
    else:
        output.show_line(str(handle.job_id))
