"""Random programs of all that can be asked of flow control: whatever the order, the invariants hold in the end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import Phase, given, settings

from jobcore import JobApp
from jobcore.memory import MemoryRunner
from jobcore.testing.apps import memory_app
from support.checker import assert_clean
from support.memory_history import memory_history, moves_noted
from support.programs import Play, Stage, Step, programs

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
"""All but the explanation, which prints every step at length."""
LONG = timedelta(hours=1)
"""Longer than any chain of delays and retries of a program."""


class InMemory:
    """The memory runner in manual mode: nothing happens but by a step."""

    unit = timedelta(seconds=1)

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

    async def let_pass(self, time: timedelta) -> None:
        self._runner.store.clock.advance(time)  # type: ignore[attr-defined]

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
