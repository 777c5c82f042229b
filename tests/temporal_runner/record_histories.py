"""Records the histories in `tests/temporal_runner/histories` anew, with servers of its own:

    python tests/temporal_runner/record_histories.py

To be run when the workflow is meant to change, and where no workflow begun before runs any more.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from jobcore import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.site import LONG, SOON, Anything, Handle, Site, Stumble, handler, working
from jobcore_devkit.databases import fresh_database
from jobcore_devkit.lane import Lane
from jobcore_devkit.postgres import PostgresServer
from jobcore_devkit.temporal import TemporalServer
from jobcore_devkit.testing import migrate_template
from jobcore_temporal.messages import CancelJob
from temporal_runner.harness import Stage, closed

HISTORIES = Path(__file__).parent / "histories"


@handler()
async def adds(ctx: JobContext, data: Anything) -> int:
    return 42


@handler(retry=SOON)
async def stumbles_once(ctx: JobContext, data: Anything) -> str:
    if ctx.attempt == 1:
        raise Stumble
    return "at last"


@handler(retry=LONG)
async def waits_for_its_retry(ctx: JobContext, data: Anything) -> None:
    raise Stumble


@handler()
async def listens(ctx: JobContext, data: Anything) -> None:
    await ctx.signal.wait()
    ctx.signal.raise_if_aborted()


go_on = asyncio.Event()


@handler()
async def lets_go(ctx: JobContext, data: Anything) -> str:
    await go_on.wait()
    return "worth keeping"


async def happy_path(site: Site, stage: Stage, lane: Lane) -> Handle:
    return await site.enqueue(adds)


async def retried(site: Site, stage: Stage, lane: Lane) -> Handle:
    return await site.enqueue(stumbles_once)


async def cancelled(site: Site, stage: Stage, lane: Lane) -> Handle:
    job = await site.enqueue(listens)
    await site.started(job)
    await (await stage.workflow(job)).cancel(reason="out of stock")
    return job


async def cancelled_by_signal(site: Site, stage: Stage, lane: Lane) -> Handle:
    job = await site.enqueue(waits_for_its_retry)
    await site.put_off(job)
    workflow = await stage.workflow(job)
    await workflow.signal("updateProgress", {"progress": 10})
    await workflow.signal("cancelJob", CancelJob("no longer needed", "Ada"))
    return job


async def unrecorded_end(site: Site, stage: Stage, lane: Lane) -> Handle:
    """The database is away when the handler completes."""
    job = await site.enqueue(lets_go)
    await site.started(job)
    await site.becomes(job, JobState.PROCESSING)
    lane.refuse()
    go_on.set()
    workflow = await stage.workflow(job)

    async def is_recording() -> bool:
        return (await workflow.query("getJobState"))["step"] == "recording"

    await site.until(is_recording, "the workflow takes over")
    lane.heal()
    return job


SCENARIOS = (happy_path, retried, cancelled, cancelled_by_signal, unrecorded_end)


@asynccontextmanager
async def stages() -> AsyncGenerator[tuple[Stage, Lane]]:
    """Servers for this run, and a lane before PostgreSQL."""
    with (
        PostgresServer.temporary() as postgres,
        TemporalServer() as temporal,
        fresh_database(postgres) as dsn,
        Lane(postgres.port) as lane,
    ):
        await asyncio.to_thread(migrate_template, dsn)
        direct = urlsplit(postgres.dsn(urlsplit(dsn).path.lstrip("/"), tcp=True))
        through = direct._replace(netloc=f"{direct.netloc.rpartition(':')[0]}:{lane.port}").geturl()
        yield Stage(dsn, temporal.address, database={"url": through}, temporal={"settle_patience_seconds": 0.5}), lane


async def record() -> None:
    """Play each scenario, and keep its history."""
    handlers = (adds, stumbles_once, waits_for_its_retry, listens, lets_go)
    async with stages() as (stage, lane), working(stage, *handlers) as site:
        for scenario in SCENARIOS:
            job = await scenario(site, stage, lane)
            await keep(stage, site, job, scenario.__name__)


async def keep(stage: Stage, site: Site, job: Handle, name: str) -> None:
    """Write the history of a job's workflow once both have ended."""

    async def has_ended() -> bool:
        return (await site.record(job)).status.is_terminal

    await site.until(has_ended, "the job ends")
    workflow = await stage.workflow(job)
    await closed(workflow)
    history = json.loads((await workflow.fetch_history()).to_json(), object_hook=without_the_machine)
    (HISTORIES / f"{name}.json").write_text(json.dumps(history, indent=1, sort_keys=True) + "\n")


def without_the_machine(part: dict[str, Any]) -> dict[str, Any]:
    """Leave out of a history on which machine it came about."""
    return {key: value for key, value in part.items() if key not in ("identity", "stackTrace")}


if __name__ == "__main__":
    HISTORIES.mkdir(exist_ok=True)
    asyncio.run(record())
