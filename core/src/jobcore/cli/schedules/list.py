"""`jobcore schedules list`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.documents import schedule_document
from jobcore.cli.options import AnyTenant, AsJson, tenant_or_all
from jobcore.cli.schedules.view import show_schedules

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.models import Schedule


def list_schedules(tenant: AnyTenant = "all", as_json: AsJson = False) -> None:
    """List schedules, with their next and last fires."""

    async def work(application: JobApp) -> Sequence[Schedule]:
        return await application.schedules.list(tenant_or_all(tenant))

    schedules = ask(work)
    if as_json:
        output.show_document({"schedules": [schedule_document(schedule) for schedule in schedules]})
    else:
        show_schedules(schedules)
