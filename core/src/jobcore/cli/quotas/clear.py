"""`jobcore quotas clear`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.exit_codes import ExitCode
from jobcore.cli.options import AsJson
from jobcore.cli.quotas.named import Default, OneTenant, owner_name, the_owner

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp


def clear_quota(tenant: OneTenant = None, default: Default = False, as_json: AsJson = False) -> None:
    """Take a tenant's own quota away, or the default. Exits with 1 if there was none."""
    owner = the_owner(tenant, default)

    async def work(application: JobApp) -> bool:
        return await application.clear_quota(owner)

    done = ask(work)
    if as_json:
        output.show_document({"tenant": None if owner is None else str(owner), "done": done})
    else:
        output.show_line(f"{'Cleared the quota' if done else 'There is no quota'} of {owner_name(owner)}.")
    if not done:
        raise typer.Exit(ExitCode.FAILED)
