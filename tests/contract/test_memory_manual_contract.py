"""The memory runner keeps the contract in manual mode too, where jobs run when the test says so and time stands still.

Left out is what cannot be asked of that mode: what passes by itself, and looks at a job while its handler runs.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from contract.memory_harness import MemoryHarness
from jobcore.app import JobApp
from jobcore.memory import MemoryMode, MemoryRunner, MemoryStore, MovableClock
from jobcore.testing.runner_contract import (
    BEHAVIOURS,
    children,
    completing,
    deduplicating,
    outcomes,
    overlapping,
    payloads,
    results,
    stepping,
    tenants,
    transactions,
)
from jobcore.testing.runner_contract.behaviour import behaviours_of

A_STEP = timedelta(milliseconds=50)
"""How far each look moves the clock: so soon are the retries and snoozes that the contract waits for."""
PATIENCE = 10.0

THEMES = (children, completing, deduplicating, payloads, results, stepping, tenants, transactions)
OTHERS = (
    *(name for name in behaviours_of(outcomes) if "its_time_is_over" not in name),
    *(name for name in behaviours_of(overlapping) if "missed_fires" in name),
)


class ManualHarness(MemoryHarness):
    """Whenever a behaviour looks, a little time passes, and what is due runs."""

    def make_runner(self, store: MemoryStore) -> MemoryRunner:
        return MemoryRunner(MemoryStore(MovableClock()), mode=MemoryMode.MANUAL)

    async def nudge(self, app: JobApp) -> None:
        await self.runner.advance(A_STEP)

    async def advance(self, app: JobApp, by: timedelta) -> None:
        clock = self.runner.store.clock
        assert isinstance(clock, MovableClock)
        clock.advance(by)


@pytest.mark.parametrize("name", [*(name for theme in THEMES for name in behaviours_of(theme)), *OTHERS])
async def test_manual_mode_keeps(name: str) -> None:
    async with asyncio.timeout(PATIENCE):
        await BEHAVIOURS[name](ManualHarness())
