"""The relay is not kept awake by what it has nothing to do with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import uuid4

from contract.temporal_harness import TemporalHarness
from jobcore import JobContext, JobData, job
from jobcore.app import JobApp
from jobcore.errors import EngineUnavailableError
from jobcore.execution import compose_observers
from jobcore.testing.runner_contract.waiting import eventually
from jobcore_postgres.outbox import Handover, Outbox
from jobcore_temporal.connection import Connection
from jobcore_temporal.identity import FALLBACK, RUNNER_TYPE, workflow_id
from jobcore_temporal.lifeline import Lifeline
from jobcore_temporal.relay import Relay
from jobcore_temporal.settings import TemporalRunnerSettings


class Note(JobData):
    text: str = ""


@job("waits-there")
async def waits_there(ctx: JobContext, data: Note) -> None: ...


async def test_only_what_is_to_be_handed_over_counts_for_the_relay(database_dsn: str) -> None:
    """What the engine has is often late for its look, above all in an outage: the relay is not to ask without end."""
    async with TemporalHarness(database_dsn, "127.0.0.1:9").application(handlers=[waits_there]) as app:
        outbox = Outbox(app.store.database, RUNNER_TYPE, workflow_id)  # pyright: ignore[reportAttributeAccessIssue]
        assert await outbox.seconds_to_next() is None
        tenant = uuid4()
        handle = await app.enqueue(waits_there, Note(), tenant=tenant)
        due_in = await outbox.seconds_to_next()
        assert due_in is not None
        assert due_in <= 0
        [taken] = await outbox.take(10, 30)
        assert (await outbox.seconds_to_next() or 0) > 20
        await outbox.handed([taken.entry], 0)
        assert await outbox.seconds_to_next() is None
        assert await app.cancel(tenant, handle.job_id)  # the engine is to be told
        assert await outbox.seconds_to_next() is None
        assert [entry.job_id for entry in await outbox.ending(10, 30)] == [handle.job_id]


class Asked(Outbox):
    """An outbox that counts how often it is asked for what is due."""

    times = 0

    async def seconds_to_next(self) -> float | None:
        self.times += 1
        return await super().seconds_to_next()

    async def take(self, limit: int, seconds: float) -> list[Handover]:
        self.times += 1
        return await super().take(limit, seconds)


@asynccontextmanager
async def cut_off(app: JobApp, fallback: str | None) -> AsyncGenerator[Asked]:
    """Have a relay at work whose Temporal is away, with a job that has been due."""
    await app.enqueue(waits_there, Note(), tenant=uuid4())
    settings = app.settings.section(RUNNER_TYPE, TemporalRunnerSettings)
    outbox = Asked(app.store.database, RUNNER_TYPE, workflow_id)  # pyright: ignore[reportAttributeAccessIssue]
    connection = Connection(settings)
    lifeline = Lifeline(connection, settings, compose_observers(()), fallback)
    for _ in range(settings.breaker_failures):
        lifeline.failed(EngineUnavailableError("nobody listens there"))
    relay = Relay(outbox, connection, lifeline, settings, fallback)

    async def work() -> None:
        while True:
            await relay.turn()

    working = asyncio.create_task(work())
    try:
        yield outbox
    finally:
        working.cancel()
        await asyncio.wait([working])
    assert working.cancelled()  # and worked until then


async def test_the_relay_asks_nothing_while_nobody_takes_what_is_due(database_dsn: str) -> None:
    """It asked every 5 ms, for as long as the outage took."""
    async with (
        TemporalHarness(database_dsn, "127.0.0.1:9").application(handlers=[waits_there]) as app,
        cut_off(app, fallback=None) as outbox,
    ):
        await asyncio.sleep(1)  # as long as it is counted
        assert outbox.times == 0


async def test_the_relay_goes_on_asking_where_the_fallback_takes_what_is_due(database_dsn: str) -> None:
    async with (
        TemporalHarness(database_dsn, "127.0.0.1:9").application(handlers=[waits_there]) as app,
        cut_off(app, FALLBACK) as outbox,
    ):

        async def asks() -> bool:
            return outbox.times > 1

        await eventually(asks, "it asks what is due", 10)
