"""When pg-boss's schedules are due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from jobcore.errors import InvalidScheduleError
from jobcore.policies.cron import CronSchedule

WINDOW = timedelta(seconds=60)
"""How long an occurrence stays due, and how wide the slot is in which one job is sent: pg-boss's measure."""

_STEPS = (timedelta(hours=2), timedelta(days=2), timedelta(days=62), timedelta(days=800))


@dataclass(frozen=True, slots=True)
class BossSchedule:
    """A row of `pgboss.schedule`."""

    name: str
    key: str
    kind: str
    cron: str
    timezone: str | None
    created_on: datetime
    catches_up: bool | None

    def check(self) -> None:
        """Raise `InvalidScheduleError` if it cannot be read here: an rrule, or cron words that only Node knows."""
        self._read()

    def slots(self, now: datetime, last_pass: datetime | None) -> list[str]:
        """Return the minutes (UTC) for which a job is due at a pass: of the latest occurrence in the last minute, and,
        if the schedule catches up, of the latest one that came due while nobody looked.

        Raises `InvalidScheduleError` as `check` does.
        """
        pattern = self._read()
        opens = now - WINDOW
        found = [_latest(pattern, opens, now)]
        if self.catches_up and last_pass is not None:
            found.append(_latest_long_ago(pattern, max(last_pass, self.created_on), opens))
        return sorted({_slot(occurrence) for occurrence in found if occurrence is not None})

    def _read(self) -> CronSchedule:
        if self.kind != "cron":
            raise InvalidScheduleError(f"A schedule of the kind {self.kind!r} is read by Node only.")
        if not self.cron.strip():
            raise InvalidScheduleError("A schedule's cron pattern must not be empty.")
        return CronSchedule(self.cron, self.timezone or "UTC")


def _latest(pattern: CronSchedule, after: datetime, until: datetime) -> datetime | None:
    """Return the latest fire in (after, until]."""
    latest = None
    fire = pattern.next_after(after)
    while fire <= until:
        latest = fire
        fire = pattern.next_after(fire)
    return latest


def _latest_long_ago(pattern: CronSchedule, after: datetime, until: datetime) -> datetime | None:
    """Return the latest fire in (after, until], looking backwards in growing steps: a long gap costs no long walk."""
    for step in _STEPS:
        begin = max(after, until - step)
        latest = _latest(pattern, begin, until) if begin < until else None
        if latest is not None or begin == after:
            return latest
    return _latest(pattern, after, until) if after < until else None


def _slot(occurrence: datetime) -> str:
    return occurrence.astimezone(UTC).replace(second=0, microsecond=0).strftime("%Y-%m-%d %H:%M:%S")
