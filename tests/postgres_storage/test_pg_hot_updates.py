"""No index names a column that every run changes: claims and settlements stay HOT."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import psycopg
import pytest

from jobcore_postgres import wire
from jobcore_postgres.store import PostgresStore
from postgres_storage.builders import TENANT, call, lease_of, new_job

JOBS = 2000
BATCH = 200


@pytest.mark.parametrize("bytes_of_payload", [20, 1000])
async def test_claims_and_settlements_are_hot_right_after_a_bulk_load(
    store: PostgresStore, admin: psycopg.Connection, bytes_of_payload: int
) -> None:
    payload = b'{"text": "' + b"x" * bytes_of_payload + b'"}'
    jobs = [new_job(payload=payload) for _ in range(JOBS)]
    batches = [jobs[begin : begin + BATCH] for begin in range(0, JOBS, BATCH)]
    async with store.database.connection() as connection:
        for batch in batches:
            encoded = wire.new_jobs(batch, wire.JobState.QUEUED)
            await connection.execute("select from jobcore.job_new(%s::jsonb)", (encoded,))
    for batch in batches:
        leases = [lease_of(job) for job in batch]
        assert all(await store.claim(leases, worker_id=uuid4()))
        ends = [
            {"tenant": TENANT, "job_id": one.job_id, "attempt": 1, "token": one.token, "outcome": "completed",
             "result": {"n": 1}, "worker": uuid4()}
            for one in leases
        ]  # fmt: skip
        assert all(row["applied"] for row in await call(store, "job_settle", ends))
    await store.close()  # the sessions report what they counted as they end
    updated, hot = await _counted(admin)
    assert updated == 2 * JOBS
    assert hot >= 0.9 * updated


async def _counted(admin: psycopg.Connection) -> tuple[int, int]:
    async with asyncio.timeout(10):
        while True:
            row = admin.execute(
                "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = 'jobs'"
            ).fetchone()
            assert row is not None
            if row[0] >= 2 * JOBS:
                return row[0], row[1]
            await asyncio.sleep(0.05)


def test_no_index_names_a_column_that_every_run_changes(admin: psycopg.Connection) -> None:
    changing = ["status", "updated_at", "attempt", "lease_token", "started_at", "completed_at", "progress", "run_at"]
    definitions = [row[0] for row in admin.execute("select indexdef from pg_indexes where tablename = 'jobs'")]
    assert len(definitions) >= 5
    assert not [definition for definition in definitions for column in changing if column in definition]
