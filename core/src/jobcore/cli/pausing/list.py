"""`jobcore pauses`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.options import AsJson
from jobcore.cli.pausing.named import words

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.models import Pause

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def pauses(as_json: AsJson = False) -> None:
    """List what is paused: since when, by whom and why."""

    async def work(application: JobApp) -> Sequence[Pause]:
        return await application.pauses()

    stand = ask(work)
    if as_json:
        output.show_document({"pauses": [asdict(pause) for pause in stand]})
        return
    output.show_table(
        ("paused", "since", "by", "reason"),
        [(words(pause.kind, pause.name), pause.paused_at, pause.paused_by, pause.reason) for pause in stand],
        empty="Nothing is paused.",
    )
