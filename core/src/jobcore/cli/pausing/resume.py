"""`jobcore resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.exit_codes import ExitCode
from jobcore.cli.options import AsJson
from jobcore.cli.pausing.named import Handler, OneTenant, Queue, the_one

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def resume(queue: Queue = None, handler: Handler = None, tenant: OneTenant = None, as_json: AsJson = False) -> None:
    """Let a paused queue, handler or tenant go on.

    A job that several pauses hold up waits for the last of them. Exits with 1 if it was not paused.
    """
    named = the_one(queue, handler, tenant)

    async def work(application: JobApp) -> bool:
        return await named.resume(application)

    done = ask(work)
    if as_json:
        output.show_document({"kind": named.kind, "name": named.name, "done": done})
    else:
        output.show_line(f"{named.words}: {'goes on' if done else 'was not paused'}")
    if not done:
        raise typer.Exit(ExitCode.FAILED)
