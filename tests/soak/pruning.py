"""Deleting old jobs while others use them: how long do these wait, and does the table stay as large as it is?

`PYTHONPATH=tests python -m soak.pruning --jobs 100000`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from jobcore.states import JobState
from jobcore_devkit.postgres import PostgresServer
from jobcore_postgres.migrations import migrate
from jobcore_postgres.store import PostgresStore
from postgres_storage.builders import TENANT, new_job
from postgres_storage.retained import DAY, make_jobs
from soak.bench import SERVER, percentile, weigh

WAITS = {"deadlock_timeout": "50ms", "log_lock_waits": "on"}
"""Let PostgreSQL log each statement that waits over 50 ms for a lock."""
SESSIONS = 2
PAUSE = 0.002
ALONE_SECONDS = 8.0

Took = dict[str, list[float]]


async def pruning(jobs: int) -> dict[str, Any]:
    """Delete `jobs` old jobs of twice as many; return what others waited for, alone and meanwhile."""
    with PostgresServer.temporary(settings={**SERVER, **WAITS}, durable=True) as server:
        migrate(server.dsn())
        with psycopg.connect(server.dsn(), autocommit=True) as admin:
            old = _fill(admin, jobs)
            before = weigh(server.dsn())
            store = PostgresStore(server.dsn())
            await store.open()
            alone = await _beside(store, old, lambda: asyncio.sleep(ALONE_SECONDS))
            begin = time.perf_counter()
            meanwhile = await _beside(store, old, lambda: _prune(store))
            seconds = time.perf_counter() - begin
            admin.execute("vacuum jobs")
            make_jobs(admin, jobs, made=DAY)
            await store.close()
        return {
            "jobs": jobs,
            "seconds": round(seconds, 1),
            "alone": alone,
            "meanwhile": meanwhile,
            "lock_waits": [line for line in server.log_tail(100_000).splitlines() if "still waiting for" in line],
            "before": before,
            "refilled": weigh(server.dsn()),
        }


def _fill(admin: psycopg.Connection, jobs: int) -> list[UUID]:
    old = make_jobs(admin, jobs)
    make_jobs(admin, jobs // 10, details=True)
    make_jobs(admin, jobs, made=DAY)
    admin.execute("vacuum analyze jobs")
    admin.execute("vacuum analyze job_details")
    return old


async def _prune(store: PostgresStore) -> None:
    for walk in await store.retention.plan(older_than=30 * DAY, states=[JobState.COMPLETED]):
        await store.retention.prune(walk)


async def _beside(store: PostgresStore, ids: Sequence[UUID], work: Callable[[], Awaitable[None]]) -> dict[str, Any]:
    """Do the work while sessions use the jobs; return how long their statements took, in milliseconds."""
    took: Took = defaultdict(list)
    sessions = [asyncio.create_task(_use(store, ids, took)) for _ in range(SESSIONS)]
    await work()
    for session in sessions:
        session.cancel()
        with suppress(asyncio.CancelledError):
            await session
    return {
        name: {"count": len(each), "p99": _ms(percentile(each, 99)), "longest": _ms(max(each))}
        for name, each in took.items()
    }


async def _use(store: PostgresStore, ids: Sequence[UUID], took: Took) -> None:
    async with store.database.connection() as connection:
        while True:
            job = (TENANT, random.choice(ids))
            uses: dict[str, Callable[[], Awaitable[object]]] = {
                "read": lambda job=job: connection.execute("select * from jobs where tenant = %s and job_id = %s", job),
                "lock": lambda job=job: connection.execute(
                    "select from jobs where tenant = %s and job_id = %s for update", job
                ),
                "requeue": lambda job=job: connection.execute("select from jobcore.job_requeue(%s, array[%s])", job),
                "insert": lambda: store.create_job(new_job()),
            }
            for name, use in uses.items():
                begin = time.perf_counter()
                await use()
                took[name].append(time.perf_counter() - begin)
            await asyncio.sleep(PAUSE)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    found = json.dumps(asyncio.run(pruning(chosen.jobs)), indent=1)
    if chosen.out:
        chosen.out.write_text(found)
    print(found)
