"""`python -m bench.on_temporal`: what a job costs on Temporal with jobcore, and with the bare SDK doing the same.

One server for all, one process that starts the runs and works them, and a fresh database. The bare SDK runs one
workflow with one activity and records nothing; jobcore writes the job, claims it, and settles it in PostgreSQL beside.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from uuid import uuid4

from temporalio.client import Client
from temporalio.worker import Worker

from bench.bare_temporal import BareWorkflow, UnsandboxedWorkflow, bare_activity, ran
from jobcore import JobContext, JobData, job
from jobcore.app import JobApp
from jobcore.models import JobMetrics
from jobcore.states import TERMINAL_STATES
from jobcore.testing.apps import quiet_settings
from jobcore_devkit import PostgresServer, TemporalServer
from jobcore_devkit.databases import create_database
from jobcore_postgres.migrations import migrate

CONCURRENCY = 10
SETTLE = 0.02
"""Seconds between two looks at whether all have ended."""
GAP = 0.04
"""Seconds between two jobs of the idle latency."""


class Number(JobData):
    number: int


@job("bench-workflow")
async def in_a_workflow(ctx: JobContext, data: Number) -> None:  # noqa: ARG001 - the handler's signature
    ran.add(data.number)


@job("bench-activity", engines={"temporal": {"mode": "activity"}})
async def without_a_workflow(ctx: JobContext, data: Number) -> None:  # noqa: ARG001
    ran.add(data.number)


@dataclass(frozen=True)
class Figures:
    """Of one contestant in one round."""

    jobs_per_second: float
    cpu_ms_per_job: float
    idle_p50_ms: float
    events: int


@dataclass(frozen=True)
class Contestant:
    """How to start one job and many, when they have ended, and how many events a run leaves."""

    one: Callable[[int], Awaitable[Callable[[], Awaitable[object]]]]
    """Start it; the answer waits for its end."""
    many: Callable[[Sequence[int]], Awaitable[None]]
    """Start them, and wait for their ends."""
    events: Callable[[], Awaitable[int]]


async def measure(contestant: Contestant, jobs: int, latencies: int) -> Figures:
    """Warm up, then measure. Raises `RuntimeError` if not every job ran."""
    ran.clear()
    await contestant.many(range(-20, 0))
    waits: list[float] = []
    for number in range(-1000, -1000 + latencies):
        began = time.perf_counter()
        ended = await contestant.one(number)
        await ended()
        waits.append(time.perf_counter() - began)
        await asyncio.sleep(GAP)
    ran.clear()
    began, cpu = time.perf_counter(), time.process_time()
    await contestant.many(range(jobs))
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    if ran != set(range(jobs)):
        raise RuntimeError(f"{len(ran)} of {jobs} jobs ran.")
    return Figures(
        jobs_per_second=jobs / seconds,
        cpu_ms_per_job=used / jobs * 1000,
        idle_p50_ms=statistics.median(waits) * 1000,
        events=await contestant.events(),
    )


@asynccontextmanager
async def bare(address: str, which: type) -> AsyncGenerator[Contestant]:
    client = await Client.connect(address)
    queue, last = f"bare-{uuid4().hex[:8]}", ""

    async def start(number: int) -> Callable[[], Awaitable[object]]:
        nonlocal last
        last = f"bare-{uuid4().hex}"
        handle = await client.start_workflow(which.run, number, id=last, task_queue=queue)
        return handle.result

    async def many(numbers: Sequence[int]) -> None:
        gate = asyncio.Semaphore(20)

        async def one(number: int) -> Callable[[], Awaitable[object]]:
            async with gate:
                return await start(number)

        started = await asyncio.gather(*(one(number) for number in numbers))
        await asyncio.gather(*(ended() for ended in started))

    async def events() -> int:
        return len([event async for event in client.get_workflow_handle(last).fetch_history_events()])

    async with Worker(
        client,
        task_queue=queue,
        workflows=[which],
        activities=[bare_activity],
        max_concurrent_activities=CONCURRENCY,
    ):
        yield Contestant(start, many, events)


@asynccontextmanager
async def with_jobcore(address: str, dsn: str, handler: object) -> AsyncGenerator[Contestant]:
    settings = quiet_settings(
        database={"url": dsn},
        temporal={"address": address, "task_queue": f"jobcore-{uuid4().hex[:8]}"},
        runner="temporal",
        edition="enterprise",
        fallback_to_pgboss=False,
        log={"finished_jobs": False},
        plugins={"allow": ["jobcore-postgres-storage", "jobcore-temporal-runner"]},
    )
    tenant, last = uuid4(), ""
    client = await Client.connect(address)
    async with JobApp(settings, handlers=[handler]) as app:  # pyright: ignore[reportArgumentType]
        worker = app.worker(concurrency=CONCURRENCY)
        await worker.start()

        async def start(number: int) -> Callable[[], Awaitable[object]]:
            nonlocal last
            handle = await app.enqueue(handler, Number(number=number), tenant=tenant)  # pyright: ignore
            last = handle.external_id or f"{handle.job_id}.0@{tenant}"
            return lambda: handle.result(timeout=120)

        async def many(numbers: Sequence[int]) -> None:
            await app.enqueue_many(handler, [Number(number=number) for number in numbers], tenant=tenant)  # pyright: ignore
            while not ran.issuperset(numbers):  # noqa: ASYNC110 - it is another loop's, or the server's, to tell
                await asyncio.sleep(SETTLE)
            while _unfinished(await app.metrics(tenant)):  # noqa: ASYNC110
                await asyncio.sleep(SETTLE)

        async def events() -> int:
            if handler is without_a_workflow:
                return 0
            return len([event async for event in client.get_workflow_handle(last).fetch_history_events()])

        yield Contestant(start, many, events)
        await worker.stop()


def _unfinished(metrics: JobMetrics) -> int:
    return sum(count for state, count in metrics.by_state.items() if state not in TERMINAL_STATES)


async def run_all(address: str, dsn: str, arguments: argparse.Namespace) -> dict[str, list[Figures]]:
    contestants = {
        "bare SDK": lambda: bare(address, BareWorkflow),
        "bare SDK, no sandbox": lambda: bare(address, UnsandboxedWorkflow),
        "jobcore": lambda: with_jobcore(address, dsn, in_a_workflow),
        "jobcore, activity": lambda: with_jobcore(address, dsn, without_a_workflow),
    }
    found: dict[str, list[Figures]] = {name: [] for name in contestants}
    for number in range(arguments.rounds):
        for name in list(contestants)[:: -1 if number % 2 else 1]:
            async with contestants[name]() as contestant:
                found[name].append(await measure(contestant, arguments.jobs, arguments.latencies))
            print(f"{name}: {found[name][-1]}", file=sys.stderr, flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.on_temporal", description=__doc__)
    parser.add_argument("--jobs", type=int, default=400)
    parser.add_argument("--latencies", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with PostgresServer.temporary(durable=True) as postgres, TemporalServer() as temporal:
        create_database(postgres, "bench")
        dsn = postgres.dsn("bench")
        migrate(dsn)
        found = asyncio.run(run_all(temporal.address, dsn, arguments))
    for name, rounds in found.items():
        medians = {key: statistics.median(getattr(one, key) for one in rounds) for key in asdict(rounds[0])}
        print(
            f"{name:22} {medians['jobs_per_second']:6.1f} jobs/s  {medians['cpu_ms_per_job']:5.1f} ms CPU/job  "
            f"{medians['idle_p50_ms']:6.1f} ms idle p50  {medians['events']:.0f} events"
        )
    print(json.dumps({name: [asdict(one) for one in rounds] for name, rounds in found.items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
