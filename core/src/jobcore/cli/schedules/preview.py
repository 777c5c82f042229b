"""`jobcore schedules preview`: when a schedule fires, or would fire, before anybody relies on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.errors import UsageError
from jobcore.cli.options import AsJson, Tenant, read_instant
from jobcore.cli.schedules.view import times_of
from jobcore.models import Schedule

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.policies.previews import Preview

_NOBODY = UUID(int=0)


def preview_schedule(
    key: Annotated[
        str | None, typer.Argument(metavar="[KEY]", help="A schedule's key; without one, --pattern says what fires.")
    ] = None,
    *,
    pattern: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="No schedule, but this: a cron pattern of 5 or 6 fields, or an interval."),
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Where the pattern is read: Europe/Berlin; by default UTC.")
    ] = None,
    count: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="How many fires.")] = 20,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="INSTANT", help="The fires after this instant; by default after now."),
    ] = None,
    tenant: Tenant = "system",
    as_json: AsJson = False,
) -> None:
    """Show when a schedule fires next, or a pattern would, and what daylight saving does to it.

    A pattern needs no database. The grid of an interval begins when its schedule is made; with --pattern, at --from.
    """
    begin = read_instant("--from", start) or datetime.now(UTC)
    schedule = _saved(key, timezone, tenant) if pattern is None else _unsaved(key, pattern, timezone, begin)
    fires = _previews(schedule, begin, count)
    if as_json:
        output.show_document(_document(schedule, key, fires))
    else:
        _show(schedule, key, fires)


def _saved(key: str | None, timezone: str | None, tenant: str) -> Schedule:
    if key is None:
        raise UsageError("Name a schedule (`jobcore schedules list` shows them), or give --pattern '30 2 * * *'.")
    if " " in key or key.startswith("@"):
        raise UsageError(f"{key!r} looks like a pattern, not like a schedule's key: write --pattern '{key}'.")
    if timezone is not None:
        raise UsageError("--timezone goes with --pattern: a schedule has a zone of its own.")

    async def work(application: JobApp) -> Schedule:
        return await application.schedules.get(tenant, key)

    return ask(work)


def _unsaved(key: str | None, pattern: str, timezone: str | None, begin: datetime) -> Schedule:
    from jobcore.policies.cron import CronSchedule
    from jobcore.policies.intervals import parse_schedule

    if key is not None:
        raise UsageError("Give the key of a schedule or --pattern, not both.")
    times = parse_schedule(pattern, timezone=timezone or "UTC", anchor=begin)
    is_cron = isinstance(times, CronSchedule)
    return Schedule(
        tenant=_NOBODY,
        schedule_id=_NOBODY,
        key="",
        name="",
        handler="",
        pattern=times.pattern if is_cron else None,
        interval=None if is_cron else times.every,
        timezone=timezone or "UTC",
        anchor=begin,
    )


def _previews(schedule: Schedule, begin: datetime, count: int) -> list[Preview]:
    from jobcore.policies.due import fire_times
    from jobcore.policies.previews import previews

    return previews(fire_times(schedule), begin, count)


def _document(schedule: Schedule, key: str | None, fires: Sequence[Preview]) -> dict[str, Any]:
    return {
        "key": key,
        "pattern": schedule.pattern,
        "interval": schedule.interval,
        "timezone": schedule.timezone,
        "enabled": schedule.enabled,
        "jitter": schedule.jitter,
        "fires": [{"fire": each.fire, "local": each.local, "note": each.note} for each in fires],
    }


def _show(schedule: Schedule, key: str | None, fires: Sequence[Preview]) -> None:
    zone = schedule.timezone if schedule.pattern else "UTC"
    times = f"{times_of(schedule)} in {zone}" if schedule.pattern else times_of(schedule)
    output.show_line(f"{key}: {times}" if key else times)
    if not schedule.enabled:
        output.show_line("It is paused: none of these fires until `jobcore schedules resume`.")
    if schedule.jitter:
        output.show_line(f"Each job starts up to {output.shown_duration(schedule.jitter)} later, by its jitter.")
    output.show_line()
    output.show_table(
        (f"local ({zone})", "UTC", "note"),
        [(_shown(each.local), each.fire, each.note) for each in fires],
        empty="It never fires.",
    )


def _shown(local: datetime) -> str:
    return f"{local:%a} {local.isoformat(sep=' ', timespec='seconds')}"
