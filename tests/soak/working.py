"""A worker process that tells what it does: ten JSON lines a second, on standard output, until its input ends.

Run as `python -m soak.working`; the database is that of the environment.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any
from unittest.mock import patch

import orjson

from jobcore import JobApp, JobContext, JobData, job
from jobcore.settings import Settings
from jobcore_postgres.background.link import Link

NAME = "soak-nothing"
TELL_EVERY = 0.1


class Told:
    """What there is to tell since the last line."""

    def __init__(self) -> None:
        self.done = 0
        self.fetches: list[float] = []
        self.pickups: list[tuple[float, float]] = []
        """When each probe was sent, in seconds since 1970, and how many seconds later its handler began."""


told = Told()


class Nothing(JobData):
    number: int = 0


@job(NAME)
async def nothing(ctx: JobContext, data: Nothing) -> None:
    """Do nothing, and be counted."""
    told.done += 1


class Probe(JobData):
    sent: float


@job("soak-probe")
async def probe(ctx: JobContext, data: Probe) -> None:
    """Tell how long the job waited."""
    told.pickups.append((data.sent, time.time() - data.sent))


async def work() -> None:
    """Work until standard input ends."""
    with patch.object(Link, "rows", _timed(Link.rows)):
        async with JobApp(Settings.load(), handlers=[nothing, probe]) as app:
            worker = app.worker()
            await worker.start()
            telling = asyncio.create_task(_tell())
            await asyncio.to_thread(sys.stdin.read)
            await worker.stop()
            telling.cancel()


def _timed(rows: Callable[..., Awaitable[list[Any]]]) -> Callable[..., Awaitable[list[Any]]]:
    """Note how long each fetch takes, from the call to the rows, in seconds."""

    async def timed(link: Link, query: str, *arguments: Any) -> list[Any]:
        begin = time.perf_counter()
        try:
            return await rows(link, query, *arguments)
        finally:
            if "pgboss_fetch" in query:
                told.fetches.append(time.perf_counter() - begin)

    return timed


async def _tell() -> None:
    while True:
        await asyncio.sleep(TELL_EVERY)
        fetches, told.fetches = told.fetches, []
        pickups, told.pickups = told.pickups, []
        line = {"done": told.done, "fetches": fetches, "pickups": pickups}
        sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(work())
