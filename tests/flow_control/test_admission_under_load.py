"""Many admitters, clients and operators at once on one PostgreSQL: no deadlock, no limit exceeded, nobody forgotten."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from jobcore import Concurrency, FairShare, JobApp, JobContext, JobData, RateLimit, Retry, RetryPolicy, job
from jobcore.app.handle import AppJobHandle
from jobcore.testing.apps import quiet_settings
from support.checker import assert_clean
from support.fleet import eventually
from support.history import ClientCall, install_event_log, read_history

TENANTS = [uuid4() for _ in range(3)]
KINDS = ("single", "keyed", "three", "rated", "fair", "plain")
RULES = (None, "supersede", "replace", "queue")
ADMITTERS, CLIENTS = 4, 20
QUICK = RetryPolicy.from_milliseconds(max_attempts=2, initial_interval_ms=10, max_interval_ms=20)

EXCEEDED = """
select s.gate, count(*) as taken
from jobcore.slots s
group by s.gate
having count(*) > case
    when s.gate like 'at-once/three%' then 3
    when s.gate like 'fair/%' then 1000
    else 1
end
"""
UNSEATED = """
select j.job_id, j.type, j.status::text
from jobs j
where j.status in ('queued', 'active', 'processing')
    and jsonb_path_exists(j.admission, '$.gates[*].limit')
    and not exists (select from jobcore.slots s where s.tenant = j.tenant and s.job_id = j.job_id)
"""
DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"


class Data(JobData):
    key: str = ""
    again: bool = False


def handlers() -> list[Any]:
    limits: dict[str, list[Any]] = {
        "single": [Concurrency(1)],
        "keyed": [Concurrency(1, key="key")],
        "three": [Concurrency(3, per="tenant")],
        "rated": [RateLimit(200), Concurrency(1)],
        "fair": [FairShare()],
        "plain": [],
    }

    async def work(ctx: JobContext, data: Data) -> None:
        await asyncio.sleep(random.random() * 0.004)
        if data.again and ctx.attempt == 1:
            raise Retry("again")

    return [job(kind, retry=QUICK, limits=limits[kind])(work) for kind in KINDS]


class Crowd:
    """Clients that enqueue, cancel and say again, and operators that pause and retry, each in an order of chance."""

    def __init__(self, app: JobApp, until: float) -> None:
        self.app = app
        self.handles: list[AppJobHandle[Any]] = []
        self._until = until

    async def enqueue(self, seed: int) -> None:
        chance = random.Random(seed)
        while time.monotonic() < self._until:
            tenant = chance.choice(TENANTS)
            options: dict[str, Any] = {"tenant": tenant}
            own = [handle for handle in self.handles[-30:] if handle.tenant == tenant]
            if own and chance.random() < 0.3:
                options["after"] = chance.sample(own, k=min(len(own), chance.randint(1, 3)))
                options["on_parent_failure"] = chance.choice(("cancel", "run"))
            if (rule := chance.choice(RULES)) is not None:
                options |= {"dedupe_key": f"{chance.randint(0, 2)}", "on_conflict": rule}
            data = Data(key=f"{chance.randint(0, 2)}", again=chance.random() < 0.2)
            self.handles.append(await self.app.enqueue(chance.choice(KINDS), data, **options))

    async def cancel_and_retry(self, seed: int) -> None:
        chance = random.Random(seed)
        while time.monotonic() < self._until:
            await asyncio.sleep(0.005)
            for handle in chance.sample(self.handles[-40:], k=min(2, len(self.handles))):
                await handle.cancel()
                if chance.random() < 0.3:
                    await self.app.retry(handle.tenant, handle.job_id)

    async def pause(self, seed: int) -> None:
        chance = random.Random(seed)
        while time.monotonic() < self._until:
            what = chance.choice(({"handler": chance.choice(KINDS)}, {"tenant": chance.choice(TENANTS)}))
            await self.app.pause(**what)
            await asyncio.sleep(chance.random() * 0.2)
            await self.app.resume(**what)


async def watch(dsn: str, until: float) -> list[Any]:
    """Look again and again, each time in one snapshot, for a limit that is exceeded and for jobs without their slot."""
    seen: list[Any] = []
    async with await psycopg.AsyncConnection.connect(dsn, row_factory=dict_row) as connection:
        await connection.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        while time.monotonic() < until:
            for question in (EXCEEDED, UNSEATED):
                seen += await (await connection.execute(question)).fetchall()
            await connection.commit()
            await asyncio.sleep(0.01)
    return seen


async def run_the_crowd(dsn: str, seconds: float) -> int:
    install_event_log(dsn)
    settings = quiet_settings(
        runner="pgboss", database={"url": dsn}, pgboss={"poll_interval_seconds": 0.2, "rescue_interval_seconds": 0.5}
    )
    async with AsyncExitStack() as stack:
        apps = [await stack.enter_async_context(JobApp(settings, handlers=handlers())) for _ in range(ADMITTERS)]
        for app in apps:
            worker = app.worker(concurrency=5)
            await worker.start()
            stack.push_async_callback(worker.stop)

        until = time.monotonic() + seconds
        crowd = Crowd(apps[0], until)
        tasks = [crowd.enqueue(seed) for seed in range(CLIENTS)]
        tasks += [crowd.cancel_and_retry(seed) for seed in (100, 101)] + [crowd.pause(seed) for seed in (200, 201)]
        exceeded, *_ = await asyncio.gather(watch(dsn, until), *tasks)
        assert exceeded == []

        async def all_ended() -> bool:
            return await unfinished(dsn) == 0

        await eventually(all_ended, "all jobs end")
        history = read_history(
            dsn, log=None, ledger=None, calls=[ClientCall(handle.job_id, "ok") for handle in crowd.handles]
        )
        assert_clean(history)
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            assert await (await connection.execute(DEADLOCKS)).fetchone() == (0,)
        return len(history.jobs)


async def unfinished(dsn: str) -> int:
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        row = await (
            await connection.execute(
                "select count(*) from jobs where status in ('pending', 'queued', 'active', 'processing')"
            )
        ).fetchone()
    assert row is not None
    return row[0]


async def test_a_crowd_deadlocks_nowhere_and_exceeds_no_limit(database_dsn: str) -> None:
    assert await run_the_crowd(database_dsn, 6) > 300


@pytest.mark.soak
async def test_a_crowd_deadlocks_nowhere_for_minutes(database_dsn: str) -> None:
    assert await run_the_crowd(database_dsn, 180) > 5_000
