"""A worker in a process of its own, for tests that kill it: `python worker_process.py DSN [SECONDS]`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from pgboss_runner.harness import TrivialExecutor, opened


async def main(dsn: str, seconds: float) -> None:
    async def sleeps(claim, session, abort):
        await asyncio.sleep(seconds)

    async with opened(dsn) as app, app.working(TrivialExecutor({"sleeps": sleeps})):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
