"""The PostgreSQL storage keeps the contract."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from contract.pgboss_harness import MOVES
from jobcore.models import NewJob
from jobcore.testing.storage_contract import *  # noqa: F403 - one test for each behaviour
from jobcore.testing.storage_contract import StorageHarness
from jobcore_pgboss.encoding import encode_jobs
from jobcore_pgboss.identity import RUNNER_TYPE
from jobcore_pgboss.settings import PgBossSettings
from jobcore_postgres.store import PostgresStore

WORKERS = "update jobcore.workers set seen_at = seen_at - %(by)s, started_at = started_at - %(by)s"
ADMISSIONS = "update jobcore.admissions set ready_at = ready_at - %(by)s"


class PostgresStorageHarness(StorageHarness):
    """A store on a database of the module's own."""

    can_transact = True
    can_advance = True
    can_submit = True

    def __init__(self, dsn: str, store: PostgresStore) -> None:
        self.dsn = dsn
        self.store = store

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Any]:
        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            yield connection

    async def advance(self, by: timedelta) -> None:
        """Bring everything nearer that waits: PostgreSQL's clock is the machine's."""
        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            for move in (*MOVES, WORKERS, ADMISSIONS):
                await connection.execute(move, {"by": by})

    async def submit(self, job: NewJob) -> None:
        jobs = encode_jobs([replace(job, runner_type=RUNNER_TYPE)], PgBossSettings())
        async with await psycopg.AsyncConnection.connect(self.dsn) as connection:
            await connection.execute("select from jobcore.pgboss_enqueue(%s)", [jobs])


@pytest.fixture
async def harness(contract_dsn: str) -> AsyncGenerator[PostgresStorageHarness]:
    store = PostgresStore(contract_dsn)
    await store.open()
    yield PostgresStorageHarness(contract_dsn, store)
    await store.close()
