"""`jobcore schedules add`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from jobcore.cli.application import ask
from jobcore.cli.options import AppName, AsJson, Data, read_data, read_duration
from jobcore.cli.schedules.view import Key, show_schedule
from jobcore.models import MissedFires, Overlap

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.models import Schedule


def add_schedule(
    key: Key,
    handler: Annotated[str, typer.Argument(metavar="HANDLER", help="The job's name, as its handler is registered.")],
    when: Annotated[
        str,
        typer.Argument(
            metavar="WHEN", help="A cron pattern of 5 or 6 fields ('0 3 * * *'), or an interval ('24 hours')."
        ),
    ],
    *,
    data: Data = None,
    tenant: Annotated[
        str | None,
        typer.Option("--tenant", metavar="UUID|system", help="Whose jobs; by default the payload's tenantId says."),
    ] = None,
    timezone: Annotated[str, typer.Option(metavar="ZONE", help="Where a cron pattern is read: Europe/Berlin.")] = "UTC",
    missed: Annotated[
        MissedFires,
        typer.Option(metavar="skip|latest|all", help="What to do with fires that were missed while no worker ran."),
    ] = MissedFires.LATEST,
    missed_limit: Annotated[int, typer.Option(metavar="N", help="How many missed fires 'all' makes up for.")] = 100,
    overlap: Annotated[
        Overlap,
        typer.Option(
            metavar="allow|skip|cancel_running", help="What a fire does while the previous job has not ended."
        ),
    ] = Overlap.ALLOW,
    jitter: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Delay each fire's job by chance, up to this.")
    ] = None,
    max_attempts: Annotated[int | None, typer.Option(metavar="N", help="Attempts, instead of the handler's.")] = None,
    backoff: Annotated[
        str | None, typer.Option(metavar="DURATION", help="The first delay between attempts, instead of the handler's.")
    ] = None,
    runner: Annotated[
        str | None, typer.Option(metavar="NAME", help="The engine, instead of what routes and settings choose.")
    ] = None,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="A name for people; the key by default.")] = None,
    paused: Annotated[bool, typer.Option("--paused", help="Do not fire before `schedules resume`.")] = False,
    remote: Annotated[
        bool, typer.Option("--remote", help="Do not ask whether anybody has the handler: its worker may start later.")
    ] = False,
    app_name: AppName = None,
    as_json: AsJson = False,
) -> None:
    """Make the schedule KEY, or replace it; effective at once."""
    payload = read_data(data)
    spread, first_delay = read_duration("--jitter", jitter), read_duration("--backoff", backoff)

    async def work(application: JobApp) -> Schedule:
        return await application.schedules.put(
            key,
            handler,
            when,
            payload,
            tenant=tenant,
            name=title,
            timezone=timezone,
            enabled=not paused,
            max_attempts=max_attempts,
            backoff=first_delay,
            missed=missed,
            missed_limit=missed_limit,
            overlap=overlap,
            jitter=spread,
            runner=runner,
            remote=remote,
        )

    schedule = ask(work, app=app_name, handlers=True)
    show_schedule(schedule, "This schedule is in force:", as_json=as_json)
