"""`make demo-enterprise`: the same month's end on a real Temporal, which is killed in the middle and comes back.

The handlers are those of `make demo`, and so is what is compared at the end. While Temporal is away, jobs that it had
not been given run on PostgreSQL; those that it had go on when it is back.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import demo
from billing_workers import Workers
from load import load

from jobcore.app import JobApp
from jobcore.models import JobFilter
from jobcore_devkit import PostgresServer, TemporalServer
from jobcore_postgres.migrations import migrate

OUTPUT = Path("demo-output")
OUTAGE_SECONDS = 4.0


class Outage:
    """Temporal dies by SIGKILL, and is started again on its state some seconds later."""

    def __init__(self, server: TemporalServer) -> None:
        self._server = server
        self._return = threading.Timer(OUTAGE_SECONDS, server.start)

    def begin(self) -> str:
        self._server.kill()
        self._return.start()
        return f"Temporal was killed by SIGKILL; it comes back in {OUTAGE_SECONDS:g} s."

    def wait_over(self) -> None:
        self._return.join()


def main() -> int:
    """Run the demo; return the exit code."""
    began = time.monotonic()
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir()
    with PostgresServer.temporary(durable=True) as server, TemporalServer(OUTPUT / "temporal.db") as temporal:
        dsn = server.dsn()
        configure(dsn, temporal)
        migrate(dsn)
        rows = load(dsn)
        demo.console.print(
            f"PostgreSQL {server.version} and Temporal run; {sum(rows.values())} rows of sample data are loaded."
        )
        with Workers(OUTPUT) as workers:
            problems = asyncio.run(month_end(dsn, workers, Outage(temporal)))
    return demo.verdict(problems, time.monotonic() - began)


def configure(dsn: str, temporal: TemporalServer) -> None:
    """Set what the application here and the workers need."""
    demo.configure(dsn)
    os.environ |= {
        "EDITION": "enterprise",
        "JOB_RUNNER_TYPE": "temporal",
        "TEMPORAL_ADDRESS": temporal.address,
        "TEMPORAL_JOB_TASK_QUEUE": "billing",
        "JOBCORE_TEMPORAL__HEARTBEAT_TIMEOUT_SECONDS": "5",
    }


async def month_end(dsn: str, workers: Workers, outage: Outage) -> list[str]:
    """Bill through an outage, then archive; return what is wrong at the end."""
    async with JobApp() as app:
        await workers.ready(app, 2)
        cycles = demo.due_cycles(dsn)
        demo.console.print(f"{len(cycles)} billing cycles are due, in two halves; Temporal dies between them.")
        billing = await demo.bill(app, cycles[: len(cycles) // 2])
        await demo.watch(app, "billing", billing, at=len(billing) // 4, then=outage.begin)
        billing += await demo.bill(app, cycles[len(cycles) // 2 :])
        await demo.watch(app, "billing", billing)
        outage.wait_over()
        bundling = await demo.archive(app, dsn)
        await demo.watch(app, "archives", bundling)
        await report(app)
        return await demo.problems_of(dsn, billing, bundling)


async def report(app: JobApp) -> None:
    """Say where the jobs ran."""
    jobs = await app.find_jobs(where=JobFilter(limit=1000))
    ran = Counter((job.type, job.runner_type, job.status.value) for job in jobs)
    for (name, runner, status), count in sorted(ran.items()):
        demo.console.print(f"{name:18}{count} {status} on {runner}")


if __name__ == "__main__":
    sys.exit(main())
