"""The pgboss runner on a real PostgreSQL, as the contracts see it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import psycopg

from jobcore.app import JobApp
from jobcore.testing.apps import quiet_settings
from jobcore.testing.runner_contract import RunnerHarness
from jobcore_pgboss.identity import CAPABILITIES

PLUGINS = ["jobcore-postgres-storage", "jobcore-pgboss-runner"]
FAST = {
    "lease_seconds": 2,
    "rescue_interval_seconds": 0.2,
    "poll_interval_seconds": 0.2,
    "cancel_poll_seconds": 0.1,
    "probe_interval_seconds": 0.5,
}

MOVES = (
    "update pgboss.job set start_after = start_after - %(by)s where state < 'active'",
    "update jobs set run_at = run_at - %(by)s where status = 'queued'",
    "update cron_jobs set next_fire = next_fire - %(by)s, anchor = anchor - %(by)s, last_fire = last_fire - %(by)s",
    # By way of another century, for the unique index is asked row by row: one could move to where the next still is.
    "update jobs set fire_time = fire_time - %(by)s - interval '100 years' where schedule_id is not null",
    "update jobs set fire_time = fire_time + interval '100 years' where schedule_id is not null",
)


class PgBossHarness(RunnerHarness):
    """Applications on one migrated database; tests on it are kept apart by their tenants and queues."""

    capabilities = CAPABILITIES
    lease = timedelta(seconds=FAST["lease_seconds"])
    can_advance = True

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    @asynccontextmanager
    async def application(self, **options: Any) -> AsyncGenerator[JobApp]:
        settings = quiet_settings(database={"url": self.dsn}, pgboss=FAST, runner="pgboss", plugins={"allow": PLUGINS})
        async with JobApp(settings, **options) as app:
            yield app

    @asynccontextmanager
    async def transaction(self, app: JobApp) -> AsyncGenerator[Any]:
        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            yield connection

    async def advance(self, app: JobApp, by: timedelta) -> None:
        """Bring everything nearer that waits: PostgreSQL's clock is the machine's."""
        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            for move in MOVES:
                await connection.execute(move, {"by": by})
