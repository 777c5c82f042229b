"""Handlers that leave a trace in the ledger, a second database, in autocommit: nothing of ours can roll it back."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

import psycopg

from jobcore import JobContext, JobData, RetryPolicy, job
from jobcore.models import Execution

LEDGER_VARIABLE = "TEST_LEDGER_DSN"
QUICK = RetryPolicy.from_milliseconds(max_attempts=3, initial_interval_ms=10, max_interval_ms=20)

_ledger: list[psycopg.AsyncConnection[Any]] = []
_writing = asyncio.Lock()


class Marked(JobData):
    number: int = 0
    key: str | None = None


async def note(ctx: JobContext, kind: str, key: str | None = None) -> None:
    """Write a line of the ledger, on the one connection of this process."""
    async with _writing:
        if not _ledger:
            dsn = os.environ[LEDGER_VARIABLE]
            _ledger.append(await psycopg.AsyncConnection.connect(dsn, autocommit=True))
        await _ledger[0].execute(
            "INSERT INTO effects (job_id, attempt, pid, kind, key) VALUES (%s, %s, %s, %s, %s)",
            (ctx.job_id, ctx.attempt, os.getpid(), kind, key),
        )


@job("chaos-note", retry=QUICK)
async def note_job(ctx: JobContext, data: Marked) -> int:
    await note(ctx, "start", data.key)
    await note(ctx, "end", data.key)
    return data.number


@job("chaos-hold", retry=QUICK)
async def hold_async(ctx: JobContext, data: Marked) -> None:
    await note(ctx, "start")
    await ctx.signal.wait()
    await note(ctx, "aborted")


@job("chaos-pause", retry=QUICK)
async def pause(ctx: JobContext, data: Marked) -> int:
    """Take two seconds, unless told to stop; tell who worked."""
    await note(ctx, "start")
    await asyncio.sleep(2)
    await note(ctx, "end")
    return os.getpid()


@job("chaos-hold-thread", retry=QUICK)
def hold_thread(ctx: JobContext, data: Marked) -> None:
    ctx.signal.wait_blocking()


@job("chaos-hold-process", retry=QUICK, execution=Execution.PROCESS)
def hold_process(ctx: JobContext, data: Marked) -> None:
    while True:
        time.sleep(0.01)


@job("chaos-fail", retry=QUICK)
async def fail(ctx: JobContext, data: Marked) -> None:
    raise RuntimeError(f"attempt {ctx.attempt} of number {data.number} fails")
