"""Ten thousand of a hundred thousand schedules fall due in one second: when are their jobs in, and who waits meanwhile?

`PYTHONPATH=tests python -m soak.schedules --due 10000 --worked`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo, available_timezones

import psycopg

from jobcore import JobApp
from jobcore.ids import SYSTEM_TENANT
from soak.bench import WorkerProcess, application, environment_of, percentile, server, until_done
from soak.working import NAME, Nothing, Probe, nothing, probe

LEAD = timedelta(seconds=10)
"""How long the load runs alone before the second in which they fall due."""
PROBES_A_SECOND = 200
LOOK_EVERY = 0.02
ELSEWHERE = "soak-elsewhere"
"""A handler that the worker does not have: what fires for it waits in its queue."""
TENANTS = 100

COPY = """
copy cron_jobs (tenant, job_id, name, handler, pattern, interval_ms, timezone, payload, anchor, next_fire) from stdin
"""
IN_BOTH = """
select count(*)
from jobs j
join pgboss.job q on q.name = j.queue and q.id = j.job_id
where j.fire_time = %s
"""


async def firing(schedules: int, due: int, *, worked: bool) -> dict[str, Any]:
    """Let `due` of so many schedules fall due at once beside a load of other jobs, with one worker for everything.

    Args:
        worked: whether that worker works the jobs of the schedules too.
    """
    with server() as dsn, psycopg.connect(dsn, autocommit=True) as admin:
        async with application(dsn) as app:
            with WorkerProcess(environment_of(dsn)) as worker:
                await app.enqueue(nothing, Nothing(), tenant=SYSTEM_TENANT)
                await until_done(worker, 1)
                instant = _fill(admin, schedules, due, NAME if worked else ELSEWHERE)
                load = asyncio.create_task(_load(app))
                await asyncio.sleep(instant.timestamp() - time.time())
                fired = await _until_fired(admin, instant)
                load.cancel()
                await asyncio.wait([load])
                if worked:
                    await until_done(worker, 1 + due)
            found = [(sent, took) for line in worker.lines for sent, took in line.pickups]
            alone = [took for sent, took in found if sent < instant.timestamp() - 1]
            meanwhile = [took for sent, took in found if instant.timestamp() <= sent < fired]
            return {
                "schedules": schedules,
                "due": due,
                "worked": worked,
                "seconds_until_all_are_in": round(fired - instant.timestamp(), 2),
                "pickup_alone": _told(alone),
                "pickup_meanwhile": _told(meanwhile),
                "jobs": _count(admin, "select count(*) from jobs where fire_time = %s", instant),
                "waiting": _count(admin, IN_BOTH, instant),
            }


def _fill(admin: psycopg.Connection, schedules: int, due: int, handler: str) -> datetime:
    """Make the schedules; return the instant at which `due` of them fall due."""
    tenants = [uuid4() for _ in range(TENANTS)]
    _copy(admin, tenants, handler, _rows(datetime.now(UTC).replace(microsecond=0), due, schedules, step=1))
    admin.execute("vacuum analyze cron_jobs")
    instant = datetime.now(UTC).replace(microsecond=0) + LEAD
    _copy(admin, tenants, handler, _rows(instant, 0, due, step=0))
    return instant


def _copy(admin: psycopg.Connection, tenants: list[UUID], handler: str, rows: Iterator[tuple[Any, ...]]) -> None:
    with admin.cursor() as cursor, cursor.copy(COPY) as copy:
        for number, (*times, anchor, next_fire) in enumerate(rows):
            tenant = tenants[number % TENANTS]
            payload = json.dumps({"tenantId": str(tenant), "number": number})
            key = f"{next_fire:%H%M%S}-{number}"
            copy.write_row((tenant, key, key, handler, *times, payload, anchor, next_fire))


def _rows(instant: datetime, first: int, end: int, *, step: int) -> Iterator[tuple[Any, ...]]:
    """Yield schedules of many shapes and zones: the first fires at `instant`, each next one `step` seconds later.

    With a step they fire an hour later than that, so that none is due before the measurement ends.
    """
    zones = sorted(zone for zone in available_timezones() if "/" in zone)
    for number in range(first, end):
        zone = zones[number % len(zones)]
        fire = instant + timedelta(hours=bool(step), seconds=step * (number - first))
        local = fire.astimezone(ZoneInfo(zone))
        at = f"{local.second} {local.minute}"
        shape = [
            (f"{at} {local.hour} * * *", None, zone),
            (f"{at} * * * *", None, zone),
            (f"{at} {local.hour} * * {local.isoweekday()}", None, zone),
            (f"{at} {local.hour} {local.day} * *", None, zone),
            (None, 3_600_000, "UTC"),
        ][number % 5]
        yield (*shape, fire, fire)


async def _load(app: JobApp) -> None:
    """Send probes, on schedule whether or not the one before has returned."""
    begin, sent, sending = time.perf_counter(), 0, set[asyncio.Task[Any]]()
    while True:
        for _ in range(int((time.perf_counter() - begin) * PROBES_A_SECOND) - sent):
            sent += 1
            task = asyncio.create_task(app.enqueue(probe, Probe(sent=time.time()), tenant=SYSTEM_TENANT))
            sending.add(task)
            task.add_done_callback(sending.discard)
        await asyncio.sleep(0.5 / PROBES_A_SECOND)


async def _until_fired(admin: psycopg.Connection, instant: datetime) -> float:
    """Wait until all schedules of the instant have moved on; return when, in seconds since 1970."""
    due = "select exists (select from cron_jobs where enabled and next_fire <= %s)"
    while _count(admin, due, instant):  # noqa: ASYNC110 - PostgreSQL has no event for it
        await asyncio.sleep(LOOK_EVERY)
    return time.time()


def _count(admin: psycopg.Connection, query: str, *parameters: object) -> int:
    row = admin.execute(query, parameters).fetchone()  # pyright: ignore[reportArgumentType] - one of those above
    assert row is not None
    return row[0]


def _told(took: list[float]) -> dict[str, float | int | None]:
    p50, p99 = percentile(took, 50), percentile(took, 99)
    return {"probes": len(took), "p50_ms": _ms(p50), "p99_ms": _ms(p99), "longest_ms": _ms(max(took, default=None))}


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schedules", type=int, default=100_000)
    parser.add_argument("--due", type=int, default=10_000)
    parser.add_argument("--worked", action="store_true", help="by the one worker that fires them")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    report = json.dumps(asyncio.run(firing(chosen.schedules, chosen.due, worked=chosen.worked)), indent=1)
    if chosen.out:
        chosen.out.write_text(report)
    print(report)
