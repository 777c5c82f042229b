"""`jobcore check`: whether this build can take the jobs that wait, before it is rolled out."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobcore.cli import output
from jobcore.cli.application import make_app, run_with
from jobcore.cli.exit_codes import ExitCode
from jobcore.cli.options import AppName, AsJson
from jobcore.cli.progress import progress_bar
from jobcore.errors import ConfigurationError
from jobcore.ports.wording import counted

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.app.payload_check import PayloadCheck

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def check(
    app_name: AppName = None,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail as well.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check that this build can take the payloads that wait.

    To be run before it is rolled out. Parses the payload of every pending and queued job, and of every schedule, of the
    handlers that this build has, through their upcasters; and compares the payloads' schemas with those that workers
    announced under the same versions. Runs no job and changes nothing.

    Exits with 1 if a payload does not parse, or if one changed without a new version so that older ones may not fit.
    """
    found = run_with(_application(app_name), _check)
    if as_json:
        output.show_document(_document(found))
    else:
        _show(found)
    if found.failed or (strict and found.changes):
        raise typer.Exit(ExitCode.FAILED)


def _application(name: str | None) -> JobApp:
    application = make_app(name, handlers=True)
    if not len(application.registry):
        raise ConfigurationError(
            "No handler is registered here, so there is nothing to check: name modules with handlers in the setting "
            "'handlers', or an application with --app."
        )
    return application


async def _check(application: JobApp) -> PayloadCheck:
    from jobcore.app.payload_check import check_payloads

    waiting = sum((await application.queue_sizes()).values())
    with progress_bar("Checking payloads") as show:

        def tell(jobs: int) -> None:
            show(min(100.0, 100 * jobs / max(1, waiting)), f"{jobs} jobs")

        return await check_payloads(application, tell)


def _show(found: PayloadCheck) -> None:
    if found.failures:
        output.show_table(
            ("handler", "version", "of", "count", "example", "tenant", "reason"),
            [(one.handler, one.version, f"{one.kind}s", one.count, one.example, one.tenant, one.reason)
             for one in found.failures],
            empty="",
        )  # fmt: skip
    for change in found.changes:
        output.show_line(f"{'error' if change.breaks else 'warning'}: {change}.")
    looked_at = (
        f"{counted(found.jobs, 'waiting job')} and {counted(found.schedules, 'schedule')} of "
        f"{counted(found.handlers, 'handler')}"
    )
    refused = sum(one.count for one in found.failures)
    verdict = f"{counted(refused, 'payload')} cannot be parsed" if refused else "every payload parses"
    output.show_line(f"{looked_at}: {verdict} in this build.")


def _document(found: PayloadCheck) -> dict[str, Any]:
    return {
        "failed": found.failed,
        "handlers": found.handlers,
        "jobs": found.jobs,
        "schedules": found.schedules,
        "failures": [asdict(one) for one in found.failures],
        "changes": [{**asdict(change), "breaks": change.breaks} for change in found.changes],
    }
