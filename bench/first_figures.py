"""First figures of the pgboss runner: one worker, a no-op async handler with a pydantic payload, durable PostgreSQL.

    python bench/first_figures.py [--jobs 20000] [--json FILE]

Prints a table and one line of JSON. The server, the enqueuing client and the worker share this machine; the client and
the worker share one process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from uuid import UUID

import psycopg
from pydantic import BaseModel

from jobcore import JobContext, job
from jobcore.app.facade import JobApp
from jobcore.models import Settlement
from jobcore.ports.observer import Observer
from jobcore.settings import Settings
from jobcore_devkit.postgres import PostgresServer
from jobcore_postgres.migrations import migrate

TENANT = UUID("11111111-1111-7111-8111-111111111111")
CHUNK = 1000


class Order(BaseModel):
    tenantId: UUID  # noqa: N815 - the name that payloads have
    number: int
    customer: str


STARTS: dict[int, float] = {}


@job("bench-noop")
async def noop(_ctx: JobContext, data: Order) -> None:
    STARTS[data.number] = time.perf_counter()


class Counter(Observer):
    """Tells when so many jobs have ended, with their ends in the database."""

    def __init__(self) -> None:
        self.ended = 0
        self.wanted = 0
        self.reached = asyncio.Event()

    def expect(self, count: int) -> None:
        self.wanted = self.ended + count
        self.reached.clear()

    def job_settled(self, settlement: Settlement, applied: bool) -> None:  # noqa: ARG002
        self.ended += applied
        if self.ended >= self.wanted:
            self.reached.set()


def order(number: int) -> Order:
    return Order(tenantId=TENANT, number=number, customer="Example & Sons, 1 High Street, Anytown")


@asynccontextmanager
async def working(app: JobApp) -> AsyncGenerator[None]:
    worker = app.worker()
    await worker.start()
    try:
        yield
    finally:
        await worker.stop(timedelta(seconds=5))


async def drain(app: JobApp, counter: Counter, count: int) -> dict[str, float]:
    begin = time.perf_counter()
    for first in range(0, count, CHUNK):
        await app.enqueue_many(noop, [order(number) for number in range(first, min(count, first + CHUNK))])
    filled = time.perf_counter()
    counter.expect(count)
    cpu = time.process_time()
    async with working(app):
        await counter.reached.wait()
        ended = time.perf_counter()
    return {
        "enqueue_many_per_s": count / (filled - begin),
        "drain_per_s": count / (ended - filled),
        "drain_cpu_us_per_job": (time.process_time() - cpu) / count * 1e6,
    }


async def enqueue(app: JobApp, count: int, at_once: int) -> float:
    begin = time.perf_counter()

    async def client(share: int) -> None:
        for number in range(share):
            await app.enqueue(noop, order(number))

    await asyncio.gather(*(client(count // at_once) for _ in range(at_once)))
    return count / (time.perf_counter() - begin)


async def idle_latency(app: JobApp, counter: Counter, dsn: str, count: int) -> dict[str, float]:
    """From the COMMIT being sent to the handler's first line."""
    waits: list[float] = []
    async with working(app), await psycopg.AsyncConnection.connect(dsn) as connection:
        for number in range(-count - 20, 0):
            await asyncio.sleep(0.02)
            counter.expect(1)
            await app.enqueue(noop, order(number), connection=connection)
            committing = time.perf_counter()
            await connection.commit()
            await counter.reached.wait()
            waits.append(STARTS[number] - committing)
    cuts = quantiles(waits[20:], n=100)
    return {"commit_to_start_p50_ms": cuts[49] * 1e3, "commit_to_start_p99_ms": cuts[98] * 1e3}


async def measure(dsn: str, jobs: int) -> dict[str, float]:
    counter = Counter()
    settings = Settings.load(env={"DATABASE_URL": dsn, "JOBCORE_LOG__FINISHED_JOBS": "false"})
    async with JobApp(settings, handlers=[noop], observers=[counter]) as app:
        counter.expect(jobs // 10)
        await drain(app, counter, jobs // 10)  # warms the caches, and lets the slots find their pace
        figures = await drain(app, counter, jobs)
        figures["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        figures["enqueue_one_at_a_time_per_s"] = await enqueue(app, jobs // 10, 1)
        figures["enqueue_ten_at_a_time_per_s"] = await enqueue(app, jobs // 5, 10)
        counter.expect(jobs // 10 + jobs // 5)
        async with working(app):
            await counter.reached.wait()
        figures.update(await idle_latency(app, counter, dsn, 300))
    return {name: round(value, 2) for name, value in figures.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    arguments = parser.parse_args()
    with PostgresServer.temporary(durable=True) as server:
        migrate(server.dsn())
        figures = asyncio.run(measure(server.dsn(), arguments.jobs))
        figures = {"jobs": arguments.jobs, **figures}
        about = {"postgresql": server.version, "python": platform.python_version(), "cpus": str(_cpus())}
    for name, value in figures.items():
        print(f"{name:32} {value:>12,.2f}")
    text = json.dumps({**about, **figures})
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n")


def _cpus() -> int:
    return len(os.sched_getaffinity(0))


if __name__ == "__main__":
    main()
