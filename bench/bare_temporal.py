"""The bare SDK's side of `bench.on_temporal`: light, so that its sandbox loads nothing else."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

ran: set[int] = set()
"""The numbers of the jobs that ran, of every contestant."""


@activity.defn
async def bare_activity(number: int) -> None:
    ran.add(number)


@workflow.defn
class BareWorkflow:
    @workflow.run
    async def run(self, number: int) -> None:
        await workflow.execute_activity(bare_activity, number, start_to_close_timeout=timedelta(minutes=10))


@workflow.defn(sandboxed=False)
class UnsandboxedWorkflow:
    @workflow.run
    async def run(self, number: int) -> None:
        await workflow.execute_activity(bare_activity, number, start_to_close_timeout=timedelta(minutes=10))
