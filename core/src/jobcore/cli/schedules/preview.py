"""`jobcore schedules preview`: when a pattern would fire, before anybody relies on it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from jobcore.cli import output
from jobcore.cli.options import AsJson, read_instant


def preview_schedule(
    when: Annotated[str, typer.Argument(metavar="WHEN", help="A cron pattern of 5 or 6 fields, or an interval.")],
    timezone: Annotated[str, typer.Option(metavar="ZONE", help="Where a cron pattern is read: Europe/Berlin.")] = "UTC",
    count: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="How many fires.")] = 5,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="INSTANT", help="The fires after this instant; by default after now."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show when a schedule would fire, and what daylight saving does to it. Needs no database.

    The grid of a real interval begins when its schedule is made; here it begins at --from.
    """
    given = read_instant("--from", start)
    rows = _previews(when, timezone, datetime.now(UTC) if given is None else given, count)
    if as_json:
        output.show_document({"fires": rows})
        return
    output.show_table(
        ("fire (UTC)", f"local ({timezone})", "note"),
        [(row["fire"], row["local"].isoformat(sep=" ", timespec="seconds"), row["note"]) for row in rows],
        empty="It never fires.",
    )


def _previews(when: str, timezone: str, start: datetime, count: int) -> list[dict[str, Any]]:
    from jobcore.policies.cron import CronSchedule
    from jobcore.policies.intervals import parse_schedule

    schedule = parse_schedule(when, timezone=timezone, anchor=start)
    if isinstance(schedule, CronSchedule):
        return [{"fire": item.fire, "local": item.local, "note": item.note} for item in schedule.previews(start, count)]
    fires = [schedule.next_after(start)]
    while len(fires) < count:
        fires.append(schedule.next_after(fires[-1]))
    return [{"fire": fire, "local": fire, "note": ""} for fire in fires]
