"""`jobcore schedules pause` and `resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobcore.cli.application import ask
from jobcore.cli.options import AsJson, Tenant
from jobcore.cli.schedules.view import Key, show_schedule

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.models import Schedule


def pause_schedule(key: Key, tenant: Tenant = "system", as_json: AsJson = False) -> None:
    """Fire no more until it is resumed; jobs that were made already stay."""

    async def work(application: JobApp) -> Schedule:
        return await application.schedules.pause(tenant, key)

    show_schedule(ask(work), "Paused:", as_json=as_json)


def resume_schedule(key: Key, tenant: Tenant = "system", as_json: AsJson = False) -> None:
    """Fire again from now on; what was missed in the pause stays missed."""

    async def work(application: JobApp) -> Schedule:
        return await application.schedules.resume(tenant, key)

    show_schedule(ask(work), "Resumed:", as_json=as_json)
