"""`jobcore enqueue`: one job, from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.options import AppName, AsJson, Data, Timeout, read_data, read_duration, read_instant

if TYPE_CHECKING:
    from datetime import timedelta

    from jobcore.app.facade import JobApp
    from jobcore.app.handle import AppJobHandle
    from jobcore.models import JobRecord

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def enqueue(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The job's name, as its handler is registered.")],
    *,
    data: Data = None,
    tenant: Annotated[
        str | None,
        typer.Option("--tenant", metavar="UUID|system", help="Whose job; by default the payload's tenantId says."),
    ] = None,
    delay: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Not before this has passed: 30 (seconds), '5 minutes'.")
    ] = None,
    run_at: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="Not before this instant, with a time zone: 2026-05-01T09:30:00Z."),
    ] = None,
    priority: Annotated[
        int | None, typer.Option(metavar="N", help="Higher is more important; the handler's own by default.")
    ] = None,
    runner: Annotated[
        str | None, typer.Option(metavar="NAME", help="The engine, instead of what routes and settings choose.")
    ] = None,
    max_attempts: Annotated[int | None, typer.Option(metavar="N", help="Attempts, instead of the handler's.")] = None,
    dedupe_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="While a job of this tenant and name holds the key and has not ended, answer with that job.",
        ),
    ] = None,
    remote: Annotated[
        bool, typer.Option("--remote", help="Do not ask whether anybody has the handler: its worker may start later.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the job has ended, and show how.")] = False,
    timeout: Timeout = None,
    app_name: AppName = None,
    as_json: AsJson = False,
) -> None:
    """Enqueue the job NAME and print its id.

    The handler is looked for among those of the settings and of plugins, then among those that live workers announced.
    """
    options: Any = {
        "tenant": tenant,
        "delay": read_duration("--delay", delay),
        "run_at": read_instant("--run-at", run_at),
        "priority": priority,
        "runner": runner,
        "max_attempts": max_attempts,
        "dedupe_key": dedupe_key,
        "remote": remote,
    }
    payload, patience = read_data(data), read_duration("--timeout", timeout)

    async def work(application: JobApp) -> tuple[AppJobHandle[Any], JobRecord | None]:
        handle = await application.enqueue(name, payload, **options)
        return handle, await _wait(application, handle, patience, as_json=as_json) if wait else None

    handle, job = ask(work, app=app_name, handlers=True)
    if job is not None:
        _show_ended(job, as_json=as_json)
    else:
        _show_accepted(handle, as_json=as_json)


async def _wait(
    application: JobApp, handle: AppJobHandle[Any], patience: timedelta | None, *, as_json: bool
) -> JobRecord:
    from jobcore.cli.progress import wait_for_job

    if not as_json:
        output.note(f"Job {handle.job_id} of tenant {handle.tenant}: waiting until it has ended.")
    return await wait_for_job(application, handle.tenant, handle.job_id, patience)


def _show_accepted(handle: AppJobHandle[Any], *, as_json: bool) -> None:
    if as_json:
        output.show_document({"job_id": handle.job_id, "tenant": handle.tenant, "deduplicated": handle.deduplicated})
        return
    output.show_line(str(handle.job_id))
    if handle.deduplicated:
        output.note("Nothing was enqueued: this job holds the key already and has not ended.")


def _show_ended(job: JobRecord, *, as_json: bool) -> None:
    from jobcore.cli.job_view import code_of, show_job

    show_job(job, as_json=as_json)
    raise typer.Exit(code_of(job))
