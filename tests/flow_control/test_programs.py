"""Random programs of all that can be asked of flow control: whatever the order, the invariants hold in the end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from jobcore import JobApp
from jobcore.memory import MemoryRunner
from jobcore.testing.apps import memory_app, quiet_settings
from support.checker import assert_clean
from support.history import install_event_log, read_history
from support.memory_history import memory_history, moves_noted
from support.playing import Play, Stage
from support.programs import KINDS, Step, programs

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
PATIENCE = 15.0
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
"""All but the explanation, which prints every step at length."""
LONG = timedelta(hours=1)
"""Longer than any chain of delays and retries of a program."""


class InMemory:
    """The memory runner in manual mode: nothing happens but by a step."""

    unit = timedelta(seconds=1)
    stands_still = True

    def __init__(self, app: JobApp, runner: MemoryRunner, stage: Stage) -> None:
        self.app = app
        self._runner = runner
        self._stage = stage
        self._tasks: set[asyncio.Task[object]] = set()
        self._instants = 0

    def now(self) -> datetime:
        self._instants += 1
        return NOON + timedelta(microseconds=self._instants)

    async def work(self, jobs: int) -> None:
        for _ in range(jobs):
            self._tasks.add(asyncio.create_task(self._runner.run_one()))
        await self._all_hold_or_end()

    async def let_pass(self, span: timedelta) -> None:
        self._runner.store.clock.advance(span)  # type: ignore[attr-defined]

    async def crash(self, jobs: int) -> None:
        raise AssertionError("what the memory runner runs dies with the process, and its jobs too")

    async def settle_down(self, is_quiet: Callable[[], Awaitable[bool]]) -> None:
        await asyncio.gather(*self._tasks)
        self._tasks.clear()
        while await self._runner.advance(LONG):
            pass

    async def _all_hold_or_end(self) -> None:
        while len(self._tasks) > len(self._stage.holding):
            await asyncio.sleep(0)
            for task in [task for task in self._tasks if task.done()]:
                self._tasks.remove(task)
                task.result()


class OnPostgres:
    """Workers of pgboss in this loop; a crash is a claim of a worker that was never there."""

    unit = timedelta(milliseconds=50)
    stands_still = False

    def __init__(self, app: JobApp, dsn: str, stage: Stage) -> None:
        self.app = app
        self._dsn = dsn
        self._stage = stage

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def work(self, jobs: int) -> None:
        """Let so many begin, if so many can before long."""
        wanted = len(self._stage.effects) + jobs

        async def begun() -> bool:
            return len(self._stage.effects) >= wanted

        await _wait(begun, 0.05)

    async def let_pass(self, span: timedelta) -> None:
        await asyncio.sleep(span.total_seconds())

    async def crash(self, jobs: int) -> None:
        async with await psycopg.AsyncConnection.connect(self._dsn, autocommit=True) as connection:
            await connection.execute("select jobcore.pgboss_fetch(%s, %s, 1)", (list(KINDS), jobs))

    async def settle_down(self, is_quiet: Callable[[], Awaitable[bool]]) -> None:
        await _wait(is_quiet, PATIENCE)


async def _wait(condition: Callable[[], Awaitable[bool]], patience: float) -> None:
    """Return when a condition holds, or it seems that it never will."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if await condition():
            return
        await asyncio.sleep(0.005)


@pytest.fixture(scope="module", autouse=True)
def quiet_log() -> Iterator[None]:
    """Handlers fail as planned, thousands of times: what is to be read of a failing test is its program."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


@given(programs(crashes=False))
@settings(max_examples=300, deadline=None, phases=PHASES)
def test_any_program_in_memory_keeps_the_invariants(program: Sequence[Step]) -> None:
    asyncio.run(_play_in_memory(program))


@pytest.mark.soak
@given(programs(crashes=False, most=60))
@settings(max_examples=20_000, deadline=None, phases=PHASES)
def test_very_many_programs_in_memory_keep_the_invariants(program: Sequence[Step]) -> None:
    asyncio.run(_play_in_memory(program))


async def _play_in_memory(program: Sequence[Step]) -> None:
    stage = Stage(InMemory.unit)
    runner = MemoryRunner(mode="manual")
    with moves_noted() as moves:
        async with memory_app(runner=runner, handlers=stage.handlers()) as app:
            engine = InMemory(app, runner, stage)
            stage.now = engine.now
            play = Play(engine, stage)
            await play.perform(program)
            assert stage.breaches == []
            assert_clean(memory_history(runner.store, moves, calls=play.calls, effects=stage.effects, exclusive=True))


@pytest.fixture
def player(database_dsn: str) -> Iterator[Callable[[Sequence[Step]], None]]:
    """What plays programs one after the other, with two workers on one database."""
    install_event_log(database_dsn)
    with asyncio.Runner() as loop:
        stack, engine, stage = loop.run(_open_on_postgres(database_dsn))

        async def perform(program: Sequence[Step]) -> None:
            play = Play(engine, stage)
            await play.perform(program)
            assert stage.breaches == []
            facts = {"calls": play.calls, "effects": stage.effects, "exclusive": True}
            assert_clean(read_history(database_dsn, log=None, ledger=None, tenants=play.tenants, **facts))

        yield lambda program: loop.run(perform(program))
        loop.run(stack.aclose())


async def _open_on_postgres(dsn: str) -> tuple[AsyncExitStack, OnPostgres, Stage]:
    stage, stack = Stage(OnPostgres.unit), AsyncExitStack()
    settings = quiet_settings(
        runner="pgboss",
        database={"url": dsn},
        pgboss={"poll_interval_seconds": 0.2, "cancel_poll_seconds": 0.1, "rescue_interval_seconds": 0.2},
    )
    app = await stack.enter_async_context(JobApp(settings, handlers=stage.handlers()))
    for _ in range(2):
        worker = app.worker(concurrency=4)
        await worker.start()
        stack.push_async_callback(worker.stop)
    engine = OnPostgres(app, dsn, stage)
    stage.now = engine.now
    return stack, engine, stage


# Programs are not made smaller here: what one leaves behind where it fails would fail the next.
ON_ONE_DATABASE = {
    "deadline": None,
    "phases": (Phase.explicit, Phase.generate),
    "database": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


@given(program=programs(crashes=True))
@settings(max_examples=60, **ON_ONE_DATABASE)
def test_any_program_on_postgres_keeps_the_invariants(
    player: Callable[[Sequence[Step]], None], program: Sequence[Step]
) -> None:
    player(program)


@pytest.mark.soak
@given(program=programs(crashes=True, most=60))
@settings(max_examples=2_000, **ON_ONE_DATABASE)
def test_many_programs_on_postgres_keep_the_invariants(
    player: Callable[[Sequence[Step]], None], program: Sequence[Step]
) -> None:
    player(program)
