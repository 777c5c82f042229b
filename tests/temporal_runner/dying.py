"""An application whose process is killed where a job's payload says; `--app temporal_runner.dying:app`."""

from __future__ import annotations

import os
import signal
from typing import Any

import orjson

from jobcore import JobContext, job
from jobcore.app import JobApp
from jobcore.models import Claim, Settlement
from jobcore.ports.observer import Observer
from support.chaos_jobs import QUICK, Marked, bill, note, pause

BEFORE, AFTER = "before the commit", "after the commit"


@job("dying", retry=QUICK)
async def dying(ctx: JobContext, data: Marked) -> str:
    await note(ctx, "start")
    if data.key == BEFORE and ctx.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    await note(ctx, "end")
    return "done"


class Killer(Observer):
    """Hears of an end when it is committed, and before Temporal does."""

    def job_settled(self, settlement: Settlement, applied: bool) -> None:
        if settlement.claim.name == dying.name and _key(settlement.claim) == AFTER:
            os.kill(os.getpid(), signal.SIGKILL)


def _key(claim: Claim) -> Any:
    return orjson.loads(claim.payload).get("key")


def app() -> JobApp:
    return JobApp(handlers=[dying, bill, pause], observers=[Killer()])
