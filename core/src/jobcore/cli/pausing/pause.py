"""`jobcore pause`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.exit_codes import ExitCode
from jobcore.cli.login import somebody
from jobcore.cli.options import AsJson
from jobcore.cli.pausing.named import Handler, OneTenant, Queue, the_one
from jobcore.cli.pausing.view import circumstances

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.models import Pause

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def pause(
    queue: Queue = None,
    handler: Handler = None,
    tenant: OneTenant = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why; recorded with the pause.")] = None,
    as_json: AsJson = False,
) -> None:
    """Pause a queue, a handler or a tenant: no other job begins.

    Running jobs go on. Others are accepted all the same, and wait until `jobcore resume`. Exits with 1 if it was paused
    already: that pause stands as it is.
    """
    named = the_one(queue, handler, tenant)

    async def work(application: JobApp) -> tuple[bool, Pause | None]:
        done = await named.pause(application, reason=reason, paused_by=somebody())
        stands = [one for one in await application.pauses() if (one.kind, one.name) == (named.kind, named.name)]
        return done, stands[0] if stands else None

    done, stands = ask(work)
    if as_json:
        output.show_document(
            {"kind": named.kind, "name": named.name, "done": done, **(asdict(stands) if stands else {})}
        )
    elif done:
        output.show_line(f"{named.words}: paused")
    else:
        output.show_line(f"{named.words}: was paused already{circumstances(stands) if stands else ''}")
    if not done:
        raise typer.Exit(ExitCode.FAILED)
