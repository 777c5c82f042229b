"""A program that starts workers and drains them again while they begin workflows eagerly: `DSN ADDRESS ROUNDS`.

Python's threads take turns rarely here, so that what holds its lock for too long is noticed.
"""

from __future__ import annotations

import asyncio
import sys
from uuid import uuid4

from contract.temporal_harness import PLUGINS
from jobcore import JobContext, JobData, job
from jobcore.app import JobApp
from jobcore.testing.apps import quiet_settings

JOBS = 30


class Nothing(JobData):
    pass


@job("begins-and-ends")
async def begins_and_ends(ctx: JobContext, data: Nothing) -> None: ...


async def main(dsn: str, address: str, rounds: int) -> None:
    settings = quiet_settings(
        database={"url": dsn},
        temporal={"address": address, "task_queue": f"ends-{uuid4().hex[:8]}"},
        runner="temporal",
        edition="enterprise",
        fallback_to_pgboss=False,
        plugins={"allow": PLUGINS},
    )
    async with JobApp(settings, handlers=[begins_and_ends]) as app:
        for number in range(rounds):
            worker = app.worker()
            await worker.start()
            await app.enqueue_many(begins_and_ends, [Nothing()] * JOBS, tenant="system")
            await asyncio.sleep(0.02 * (number % 10))  # so that they end at each point of a job's way
            await worker.drain()
    print("all ended")


if __name__ == "__main__":
    sys.setswitchinterval(0.5)
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
