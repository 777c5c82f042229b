"""What the behaviours of schedules share: their fires, and how time passes for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from jobcore.models import JobFilter, JobRecord
from jobcore.testing.runner_contract.site import Site

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
A_FIRE_MORE = 1.1
"""Seconds to watch that nothing fires any more: longer than the interval, and than a worker's looks at schedules."""


async def fires_of(site: Site) -> list[JobRecord]:
    """Return the jobs that schedules of this site made, oldest first."""
    return [job for job in reversed(await site.app.find_jobs(site.tenant, JobFilter(limit=1000))) if job.fire_time]


async def until_fired(site: Site, times: int) -> Sequence[JobRecord]:
    async def enough() -> list[JobRecord]:
        fires = await fires_of(site)
        return fires if len(fires) >= times else []

    return await site.until(enough, f"{times} fires")


def interval_of(site: Site) -> timedelta:
    """Return an interval that can be waited for: an hour where the clock can be moved."""
    return HOUR if site.harness.can_advance else SECOND


async def let_fire(site: Site) -> None:
    """Let one interval pass, if that can be hastened; otherwise it passes by itself."""
    if site.harness.can_advance:
        await site.advance(HOUR)


async def none_fired(site: Site) -> bool:
    return await fires_of(site) == []


async def one_fired(site: Site) -> bool:
    return len(await fires_of(site)) == 1
