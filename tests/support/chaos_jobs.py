"""Handlers that leave a trace in the ledger, a second database, in autocommit: nothing of ours can roll it back."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

from jobcore import Concurrency, Dedupe, JobContext, JobData, RetryPolicy, job
from jobcore.errors import StaleClaimError
from jobcore.models import Execution

LEDGER_VARIABLE = "TEST_LEDGER_DSN"
ENGINE_VARIABLE = "TEST_ENGINE"
"""The one engine of this worker, where a test has workers of several."""
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
            "INSERT INTO effects (job_id, attempt, pid, kind, key, engine) VALUES (%s, %s, %s, %s, %s, %s)",
            (ctx.job_id, ctx.attempt, os.getpid(), kind, key, os.environ.get(ENGINE_VARIABLE)),
        )


@job("chaos-note", retry=QUICK)
async def note_job(ctx: JobContext, data: Marked) -> int:
    await note(ctx, "start", data.key)
    await note(ctx, "end", data.key)
    return data.number


@job("chaos-slow", retry=QUICK)
async def slow(ctx: JobContext, data: Marked) -> int:
    """Take a fifth of a second; fail the first time if `key` says so."""
    await note(ctx, "start", data.key)
    await asyncio.sleep(0.2)
    if data.key == "fail" and ctx.attempt == 1:
        raise RuntimeError("the first attempt fails")
    await note(ctx, "end", data.key)
    return data.number


@job("chaos-turn", retry=QUICK, limits=[Concurrency(2, key="key")])
async def turn(ctx: JobContext, data: Marked) -> None:
    """Wait for an admission, two of a key at a time."""
    await note(ctx, "start", data.key)
    await note(ctx, "end", data.key)


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


@job("chaos-late-failure", retry=QUICK)
async def fail_late(ctx: JobContext, data: Marked) -> int:
    """Fail after two seconds, the first time; tell who worked."""
    await note(ctx, "start")
    await asyncio.sleep(2)
    if ctx.attempt == 1:
        raise RuntimeError("too late")
    return os.getpid()


@job("chaos-touch", retry=QUICK)
async def touch(ctx: JobContext, data: Marked) -> int:
    """After two seconds, or when interrupted, write all that a handler can write; note what is refused."""
    await note(ctx, "start")
    if ctx.attempt > 1:
        await asyncio.sleep(5)
        return os.getpid()
    try:
        await asyncio.sleep(2)
    except asyncio.CancelledError:
        await note(ctx, "interrupted")
    touches: dict[str, Callable[[], Awaitable[Any]]] = {
        "heartbeat": ctx.heartbeat,
        "progress": lambda: ctx.progress(66, "by a zombie"),
        "step": lambda: ctx.step("by a zombie", _nothing),
        "detail": lambda: ctx.detail("by a zombie", "done"),
    }
    for name, write in touches.items():
        try:
            await write()
        except StaleClaimError:
            await note(ctx, f"refused {name}")
    await note(ctx, "end")
    return os.getpid()


async def _nothing() -> None:
    """A step without work."""


@job("chaos-fail", retry=QUICK)
async def fail(ctx: JobContext, data: Marked) -> None:
    raise RuntimeError(f"attempt {ctx.attempt} of number {data.number} fails")


@job("chaos-single", retry=QUICK, limits=[Concurrency(1, key="key")])
async def single(ctx: JobContext, data: Marked) -> None:
    """Take a turn, one of its key at a time: write under the lease in the middle, and a row with the completion."""
    await note(ctx, "start", data.key)
    await asyncio.sleep(0.05)
    await ctx.progress(50, "half of it")
    await asyncio.sleep(0.05)
    async with ctx.complete_in(ctx.db) as connection:
        await connection.execute(
            "INSERT INTO turns (job_id, attempt, pid, key, at) VALUES (%s, %s, %s, %s, clock_timestamp())",
            (ctx.job_id, ctx.attempt, os.getpid(), data.key),
        )


@job("chaos-supersede", retry=QUICK, dedupe=Dedupe("key", "supersede"))
async def supersede(ctx: JobContext, data: Marked) -> None:
    """Go on until a newer one comes."""
    await note(ctx, "start", data.key)
    await ctx.signal.wait()
    await note(ctx, "told", data.key)


@job("chaos-bill", retry=QUICK)
async def bill(ctx: JobContext, data: Marked) -> None:
    """Write a row and complete with it; the first attempt ends where `key` says."""
    await note(ctx, "start")
    end = data.key if ctx.attempt == 1 else None
    await ctx.step("prepare", lambda: note(ctx, "prepared"))
    _die(end == "before the row")
    async with ctx.db.transaction() as connection:
        async with ctx.complete_in(connection):
            await connection.execute("INSERT INTO bills (job_id, attempt) VALUES (%s, %s)", (ctx.job_id, ctx.attempt))
            _die(end == "after the row")
        _die(end == "after the settlement")
        if end == "at the commit":
            connection.pgconn.send_query(b"COMMIT")
            connection.pgconn.flush()
            _die(True)
        if end == "at the reply":
            await note(ctx, "about to commit")
            await let_go()
    _die(end == "after the commit")


async def let_go() -> None:
    """Wait until the test lets go."""
    while True:
        cursor = await _ledger[0].execute("SELECT to_regclass('let_go')")
        if await cursor.fetchone() != (None,):
            return
        await asyncio.sleep(0.02)


def _die(now: bool) -> None:
    if now:
        os.kill(os.getpid(), signal.SIGKILL)
