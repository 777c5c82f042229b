"""`jobcore billing`: what an operator sets up for the business handlers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.errors import UsageError
from jobcore.cli.options import AppName, AsJson
from jobcore.cli.progress import progress_bar

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore_handlers.schedules import Registration

app = typer.Typer(
    help="Set up the business handlers.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)


@app.callback()
def billing() -> None:
    """Set up the business handlers."""


@app.command()
def schedules(
    *,
    tenant: Annotated[
        str | None, typer.Option("--tenant", metavar="UUID|system", help="Whose: a tenant's id, or 'system'.")
    ] = None,
    all_tenants: Annotated[
        bool, typer.Option("--all-tenants", help="Those of the system and of every tenant.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be made, and make nothing.")] = False,
    app_name: AppName = None,
    as_json: AsJson = False,
) -> None:
    """Make the default schedules of the business handlers, of a tenant or of all.

    A schedule that is there already is left as it is, whatever was changed in it. It may be run again, for new tenants
    or after an upgrade.
    """
    if (tenant is None) is not all_tenants:
        raise UsageError("Name whose schedules are meant: --tenant UUID, --tenant system, or --all-tenants.")
    done = ask(lambda application: _register(application, tenant, dry_run), app=app_name, handlers=True)
    if as_json:
        output.show_document({"dry_run": dry_run, "schedules": [_document(one) for one in done]})
        return
    _show(done)
    if dry_run:
        output.note("Nothing was made.")


async def _register(application: JobApp, tenant: str | None, dry_run: bool) -> Sequence[Registration]:
    from jobcore_handlers.schedules import register_default_schedules

    with progress_bar("Schedules") as show:

        def tell(done: int, total: int) -> None:
            show(100 * done / total, f"{done} of {total}")

        return await register_default_schedules(application, tenant=tenant, dry_run=dry_run, tell=tell)


def _show(done: Sequence[Registration]) -> None:
    counted = Counter((one.schedule, one.outcome) for one in done)
    rows = [
        (schedule.handler, schedule.when, schedule.whose, outcome, count)
        for (schedule, outcome), count in counted.items()
    ]
    output.show_table(("schedule", "when (UTC)", "for", "outcome", "count"), rows, empty="There is nobody to serve.")


def _document(one: Registration) -> dict[str, Any]:
    return {
        "tenant": one.tenant,
        "key": one.schedule.handler,
        "when": one.schedule.when,
        "edition": one.schedule.edition,
        "outcome": one.outcome,
    }
