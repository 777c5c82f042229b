"""Handlers that a handler process can import."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from jobcore import JobContext, JobData, RetryPolicy, job
from jobcore.errors import ConfigurationError, NonRetryableError
from jobcore.execution import Cancel, Retry, Snooze

QUICK = {"timeout": timedelta(seconds=2), "abort_grace": timedelta(milliseconds=200), "retry": RetryPolicy()}


class Order(JobData):
    amount: int = 1


class Receipt(BaseModel):
    pid: int
    amount: int


@job("pid", execution="process")
def pid(ctx: JobContext, data: Order) -> Receipt:
    return Receipt(pid=os.getpid(), amount=data.amount)


@job("measured", execution="process", version=2)
def measured(ctx: JobContext, data: Order) -> int:
    return data.amount


@measured.upcast(from_version=1)
def amounts_were_texts(payload: dict[str, Any]) -> dict[str, Any]:
    return {**payload, "amount": int(payload["amount"].removesuffix(" pcs"))}


@job("pid-async", execution="process")
async def pid_async(ctx: JobContext, data: Order) -> int:
    await asyncio.sleep(0)
    return os.getpid()


@job("raises", execution="process", retry=RetryPolicy(non_retryable_errors=(LookupError,)))
def raises(ctx: JobContext, data: dict[str, Any]) -> Any:
    match data["what"]:
        case "error":
            raise ValueError("password=hunter2 did not work")
        case "final":
            raise KeyError("gone")
        case "non-retryable":
            raise NonRetryableError("never")
        case "retry":
            raise Retry("later", after=timedelta(seconds=90))
        case "snooze":
            return Snooze(timedelta(minutes=3))
        case "cancel":
            raise Cancel("no longer needed")
        case "exit":
            sys.exit(3)
        case "not json":
            return object()
        case _:
            raise ConnectionError("?")


@job("dies", execution="process")
def dies(ctx: JobContext, data: dict[str, Any]) -> None:
    match data["how"]:
        case "exit":
            os._exit(3)
        case "segfault":
            ctypes.string_at(0)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case _:
            subprocess.Popen(["sleep", "5"], close_fds=False)
            os._exit(4)


@job("spins", execution="process", **QUICK)
def spins(ctx: JobContext, data: dict[str, Any]) -> None:
    ctx.blocking.progress(1, str(os.getpid()))
    while True:
        time.sleep(0.01)


@job("spins-async", execution="process", **QUICK)
async def spins_async(ctx: JobContext, data: dict[str, Any]) -> None:
    await ctx.progress(1, str(os.getpid()))
    await asyncio.Event().wait()


@job("deaf", execution="process", **QUICK)
def deaf(ctx: JobContext, data: dict[str, Any]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ctx.blocking.progress(1, str(os.getpid()))
    while True:
        time.sleep(0.01)


@job("heeds", execution="process", **QUICK)
def heeds(ctx: JobContext, data: dict[str, Any]) -> str:
    ctx.blocking.progress(1, str(os.getpid()))
    ctx.signal.wait_blocking(10)
    ctx.blocking.detail("reason", ctx.signal.reason or "none")
    return "left early"


@job("talks", execution="process")
def talks(ctx: JobContext, data: dict[str, Any]) -> list[Any]:
    ctx.logger.warning("hello %s", "worker", extra={"colour": "blue"})
    logging.getLogger("third.party").error("library line")
    ctx.blocking.progress(30, "working")
    ctx.blocking.heartbeat()
    ctx.blocking.detail("item", "done", result={"n": 1})
    step = ctx.blocking.step("pid", os.getpid)
    return [step, ctx.blocking.once("mail"), ctx.attempt, ctx.job_name]


@job("follows-up", execution="process")
def follows_up(ctx: JobContext, data: dict[str, Any]) -> str:
    return str(ctx.blocking.enqueue("child", {"n": 2}, delay=timedelta(seconds=3)).job_id)


@job("talks-async", execution="process")
async def talks_async(ctx: JobContext, data: dict[str, Any]) -> list[Any]:
    await ctx.progress(30, "working")
    await ctx.heartbeat()
    await ctx.detail("item", "done")
    step = await ctx.step("pid", os.getpid)
    child = await ctx.enqueue("child", {"n": 1}, delay=timedelta(seconds=3))
    return [step, await ctx.once("mail"), str(child.job_id)]


@job("asks-too-much", execution="process")
async def asks_too_much(ctx: JobContext, data: dict[str, Any]) -> list[str]:
    refused: list[str] = []
    for ask in (
        lambda: ctx.db,
        lambda: ctx.complete_in(None),
        lambda: ctx.blocking.complete_in(None),
        lambda: ctx.services.get(int),
    ):
        try:
            ask()
        except ConfigurationError as error:
            refused.append(f"{type(error).__name__}: {error}")
    try:
        ctx.blocking.enqueue("child", {}, connection=object())
    except ConfigurationError as error:
        refused.append(f"{type(error).__name__}: {error}")
    return refused


@job("claims-stale", execution="process")
def claims_stale(ctx: JobContext, data: dict[str, Any]) -> None:
    ctx.blocking.heartbeat()
