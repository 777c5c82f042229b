"""Temporal loses its state, as if restored from an older backup: nothing of ours stays silent about it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from temporalio.client import WorkflowExecutionStatus as Ended

from jobcore import JobContext
from jobcore.states import JobState
from jobcore.testing.runner_contract.site import Anything, handler, working
from jobcore_devkit.temporal import TemporalServer
from temporal_runner.harness import Stage, closed, is_handed, outbox_of


async def test_what_had_begun_fails_as_lost_and_what_had_not_is_started_again(
    database_dsn: str, server: TemporalServer, tmp_path: Path
) -> None:
    aborted = asyncio.Event()

    @handler()
    async def waits(ctx: JobContext, data: Anything) -> None:
        await ctx.signal.wait()
        aborted.set()

    @handler()
    async def plain(ctx: JobContext, data: Anything) -> str:
        return "done"

    stage = Stage(database_dsn, server.address)
    async with working(stage, waits, plain, concurrency=1) as site:
        begun = await site.enqueue(waits)
        await site.started(begun)
        behind = await site.enqueue(plain)
        await site.until(lambda: is_handed(site, behind), "Temporal has it")
        await asyncio.to_thread(server.kill)
        with TemporalServer(tmp_path / "empty.db", port=server.port) as forgetful:
            lost = await site.ended(begun, JobState.FAILED)
            assert lost.error is not None
            assert lost.error["type"] == "RunLostError"
            await asyncio.wait_for(aborted.wait(), 10)
            done = await site.ended(behind)
            assert (done.epoch, done.result) == (1, "done")
            assert await closed(await stage.workflow(behind, epoch=1)) is Ended.COMPLETED
            assert (len(site.runs_of(begun)), len(site.runs_of(behind))) == (1, 1)
            assert await outbox_of(site, begun) == await outbox_of(site, behind) == []
            assert forgetful.running
