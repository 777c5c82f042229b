"""`jobcore schedules remove`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.options import AsJson, Tenant
from jobcore.cli.schedules.view import Key
from jobcore.errors import ScheduleNotFoundError

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp


def remove_schedule(key: Key, tenant: Tenant = "system", as_json: AsJson = False) -> None:
    """Remove a schedule. Jobs that it made stay."""

    async def work(application: JobApp) -> bool:
        return await application.schedules.remove(tenant, key)

    if not ask(work):
        raise ScheduleNotFoundError(
            f"Tenant {tenant} has no schedule {key!r}; `jobcore schedules list` shows them all."
        )
    if as_json:
        output.show_document({"removed": key, "tenant": tenant})
    else:
        output.show_line(f"Removed {key}.")
