"""`jobcore quotas set`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.options import AsJson
from jobcore.cli.quotas.named import Default, OneTenant, owner_name, quota_document, the_owner
from jobcore.models import Quota

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp


def set_quota(  # noqa: PLR0917 - typer's signature
    tenant: OneTenant = None,
    default: Default = False,
    waiting: Annotated[int | None, typer.Option(min=0, metavar="JOBS", help="Jobs that wait.")] = None,
    enqueues_per_second: Annotated[
        int | None, typer.Option(min=0, metavar="JOBS", help="Jobs that calls make within one second.")
    ] = None,
    schedules: Annotated[int | None, typer.Option(min=0, metavar="SCHEDULES", help="Schedules.")] = None,
    as_json: AsJson = False,
) -> None:
    """Give a tenant a quota, or set the default.

    It stands instead of the one before; a limit that is not named is none. A tenant whose quota names no limit is
    exempt from the default, as the system tenant is.
    """
    owner = the_owner(tenant, default)
    quota = Quota(waiting=waiting, enqueues_per_second=enqueues_per_second, schedules=schedules)

    async def work(application: JobApp) -> None:
        await application.set_quota(owner, quota)

    ask(work)
    if as_json:
        output.show_document(quota_document(owner, quota))
    else:
        output.show_line(f"Set the quota of {owner_name(owner)}.")
