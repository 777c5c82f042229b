"""Long mixes of outages, jobs, cancellations and restarts, by hand: `python -m pytest -m soak`."""

from __future__ import annotations

import asyncio
import random

import pytest

from jobcore_devkit.lane import Lane
from jobcore_devkit.temporal import TemporalServer
from temporal_runner.outages import FAULTS, WITH_FALLBACK, Outage, at_work

ROUNDS = 25


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("settings", [{}, WITH_FALLBACK], ids=["waiting", "falling-back"])
async def test_every_job_ends_once_over_many_outages(
    database_dsn: str, server: TemporalServer, lane: Lane, settings: dict[str, object], seed: int
) -> None:
    chance = random.Random(seed)
    async with at_work(database_dsn, server, lane, **settings) as outage:
        enqueueing = asyncio.create_task(keep_enqueueing(outage, chance))
        for _ in range(ROUNDS):
            fault = chance.choice([*FAULTS, "restarted"])
            if fault == "restarted":
                await asyncio.to_thread(server.restart)
            else:
                await outage.begins(fault)
                await asyncio.sleep(chance.uniform(0, 4))  # an outage is as long as it is
                await outage.ends(fault)
            await asyncio.sleep(chance.uniform(0, 2))
        enqueueing.cancel()
        await asyncio.wait([enqueueing])
        outage.site.harness.patience = 120
        await outage.assert_each_ended_once()
        assert outage.slowest <= 2
        assert len(outage.jobs) > 10 * ROUNDS


async def keep_enqueueing(outage: Outage, chance: random.Random) -> None:
    """Enqueue small and long jobs, some of them for later, without end."""
    while True:
        await outage.enqueue(chance.randint(1, 5), seconds=chance.choice([0, 0, 0, 0.5, 3]))
        await outage.enqueue(1, delay=chance.uniform(0, 5))
        await asyncio.sleep(chance.uniform(0, 0.6))
