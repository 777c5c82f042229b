"""An application whose workers tell the ledger which engine each run is of; `--app temporal_runner.telling:app`."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import psycopg

from jobcore import JobContext, job
from jobcore.app import JobApp
from jobcore.models import Claim
from jobcore.ports.observer import Observer
from support.chaos_jobs import LEDGER_VARIABLE, QUICK, Marked, note

FAILS, LASTS = "fails at first", "lasts"
LONG, SHORT = 3.0, 0.2
"""Seconds. The long ones still run on the fallback when Temporal hears of a start that had got no answer."""
TELL = """
insert into effects (job_id, attempt, pid, kind, key, engine) values (%s, %s, %s, 'start', %s, %s)
"""


@job("telling", retry=QUICK)
async def plain(ctx: JobContext, data: Marked) -> int:
    return await work(ctx, data)


@job("telling-activity", retry=QUICK, engines={"temporal": {"mode": "activity"}})
async def without_a_workflow(ctx: JobContext, data: Marked) -> int:
    return await work(ctx, data)


async def work(ctx: JobContext, data: Marked) -> int:
    """Take its time; fail the first time if `key` says so."""
    await asyncio.sleep(LONG if data.key == LASTS else SHORT)
    if data.key == FAILS and ctx.attempt == 1:
        raise RuntimeError(FAILS)
    await note(ctx, "end")
    return data.number


class Teller(Observer):
    """Writes each beginning into the ledger, with the engine: handlers do not know theirs."""

    def __init__(self) -> None:
        self._ledger: psycopg.Connection[Any] | None = None

    def job_started(self, claim: Claim) -> None:
        if claim.name not in (plain.name, without_a_workflow.name):
            return
        if self._ledger is None:
            self._ledger = psycopg.connect(os.environ[LEDGER_VARIABLE], autocommit=True)
        self._ledger.execute(TELL, (claim.job_id, claim.attempt, os.getpid(), None, claim.runner_type))


def app() -> JobApp:
    return JobApp(handlers=[plain, without_a_workflow], observers=[Teller()])
