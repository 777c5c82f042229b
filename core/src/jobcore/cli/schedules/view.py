"""How schedules look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from jobcore.cli import output
from jobcore.cli.documents import schedule_document
from jobcore.models import MissedFires, Schedule

Key = Annotated[str, typer.Argument(metavar="KEY", help="The schedule's key, unique within its tenant.")]


def show_schedules(schedules: Sequence[Schedule]) -> None:
    """Print a table of schedules."""
    output.show_table(
        ("key", "handler", "when", "zone", "enabled", "next fire", "last fire", "tenant"),
        [
            (
                schedule.key,
                schedule.handler,
                times_of(schedule),
                schedule.timezone if schedule.pattern else "",
                schedule.enabled,
                schedule.next_fire if schedule.enabled else None,
                schedule.last_fire,
                schedule.tenant,
            )
            for schedule in schedules
        ],
        empty="There is no schedule.",
    )


def show_schedule(schedule: Schedule, said: str, *, as_json: bool) -> None:
    """Print one schedule as it stands now."""
    if as_json:
        output.show_document(schedule_document(schedule))
        return
    output.show_line(said)
    output.show_fields(_fields(schedule))


def times_of(schedule: Schedule) -> str:
    """Return when a schedule fires, as its maker would write it."""
    if schedule.interval is not None:
        return f"every {output.shown_duration(schedule.interval)}"
    return schedule.pattern or ""


def _fields(schedule: Schedule) -> list[tuple[str, Any]]:
    return [
        ("key", schedule.key),
        ("name", schedule.name if schedule.name != schedule.key else None),
        ("tenant", schedule.tenant),
        ("handler", schedule.handler),
        ("when", times_of(schedule)),
        ("zone", schedule.timezone if schedule.pattern else None),
        ("enabled", schedule.enabled),
        ("next fire", schedule.next_fire if schedule.enabled else None),
        ("last fire", schedule.last_fire),
        (
            "missed",
            f"all, the newest {schedule.missed_limit}" if schedule.missed is MissedFires.ALL else schedule.missed,
        ),
        ("overlap", schedule.overlap.value),
        ("jitter", schedule.jitter or None),
        ("attempts", schedule.max_attempts),
        ("backoff", schedule.backoff),
        ("runner", schedule.runner_type),
    ]
