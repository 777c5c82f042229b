"""`jobcore cutover`: jobs and schedules go from one engine to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.options import AppName, AsJson
from jobcore.cli.progress import progress_bar

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.models import Cutover, MovedHandler

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def cutover(  # noqa: PLR0917 - typer's signature
    source: Annotated[str, typer.Option("--from", metavar="RUNNER", help="The runner whose jobs are to leave.")],
    target: Annotated[str, typer.Option("--to", metavar="RUNNER", help="The runner that gets them.")],
    handler: Annotated[
        str | None, typer.Option("--handler", metavar="GLOB", help="Only handlers whose names match, such as 'mail-*'.")
    ] = None,
    tenant: Annotated[
        str | None,
        typer.Option("--tenant", metavar="UUID|system", help="Only this tenant's; by default every tenant's."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be moved.")] = False,
    app_name: AppName = None,
    as_json: AsJson = False,
) -> None:
    """Move waiting jobs and schedules from one runner to another.

    Queued, delayed, retry-waiting and not yet admitted jobs move with their attempts and their place in line; so do
    schedules that name the source. Running jobs end where they are. Workers of both runners may go on working.

    It can be stopped at any time, and is resumed by running it again: each job moves in one transaction, and nothing
    else is kept. Route new jobs to the target first, with the setting runner or routes.
    """

    async def work(application: JobApp) -> Cutover:
        with progress_bar(f"From {source} to {target}") as show:
            return await application.cutover(
                source,
                target,
                handler=handler,
                tenant=tenant,
                dry_run=dry_run,
                progress=lambda done, total: show(100 * done / max(total, 1), f"{done:,} of {total:,} jobs"),
            )

    report = ask(work, app=app_name, handlers=True)
    for warning in report.warnings:
        output.note(f"Warning: {warning}")
    if as_json:
        output.show_document({**asdict(report), "moved": report.moved, "schedules": report.schedules})
        return
    output.show_table(
        ("handler", "would move" if dry_run else "moved", "schedules", "running", "arrived", "skipped"),
        [_row(handler) for handler in report.handlers],
        empty=f"Nothing waits or runs on {source}, and no schedule names it.",
    )
    for line in _remarks(report):
        output.show_line(line)


def _row(handler: MovedHandler) -> tuple[Any, ...]:
    skipped = sum(handler.skipped.values())
    return handler.handler, handler.moved, handler.schedules, handler.running, handler.arrived, skipped


def _remarks(report: Cutover) -> Iterator[str]:
    for handler in report.handlers:
        for reason, count in handler.skipped.items():
            yield f"{handler.handler}: {count} skipped: {reason}"
    if report.following:
        yield f"{report.following} schedules name no runner: they follow the settings."
    for queue, count in report.unrecorded.items():
        yield f"Queue {queue}: {count} jobs of other programs are left alone."
    arrived = sum(handler.arrived for handler in report.handlers)
    if arrived:
        yield f"{arrived} jobs came to {report.source} meanwhile: run this again for them."
