"""How the statements of the hot path find their rows: by key, however many jobs run or wait beside them."""

from __future__ import annotations

from typing import Any

import orjson
import psycopg
import pytest

from jobcore_pgboss.statements import statement
from pgboss_runner.harness import App

RUNNING = 1_000
BATCH = 400
OTHER_INDEXES = """
    select sum(idx_tup_read) as rows
    from pg_stat_user_indexes
    where relname in ('job_common', 'jobs') and indexrelname not in ('job_common_pkey', 'jobs_pkey')
"""
"""To walk one by state, which looks empty to statistics from before the jobs ran, costs every claim all the others."""


async def test_settling_and_heartbeats_do_not_walk_the_running_jobs(app: App) -> None:
    await app.enqueue(count=RUNNING)
    await gather_statistics_while_nothing_runs(app)
    claims = [
        {**row, "attempt": 1, "outcome": "completed"}
        for row in await app.rows(
            "select tenant, job_id, queue, retry_count, started_us from jobcore.pgboss_fetch(array['noop'], %s, 300)",
            RUNNING,
        )
    ]
    before = await rows_read(app)
    assert before <= 2 * RUNNING  # of the fetch

    held = await app.rows("select held from jobcore.pgboss_heartbeat(%s, true)", encoded(claims))
    applied = await app.rows("select applied from jobcore.pgboss_settle(%s)", encoded(claims))

    assert [row["held"] for row in held] == [True] * RUNNING
    assert [row["applied"] for row in applied] == [True] * RUNNING
    assert await rows_read(app) - before <= RUNNING  # walked, it would be hundreds for each


@pytest.mark.parametrize("outcome", ["completed", "failed"])
async def test_plans_that_were_made_on_empty_tables_serve_full_ones(app: App, outcome: str) -> None:
    await app.enqueue()
    await gather_statistics_while_nothing_runs(app)
    async with await psycopg.AsyncConnection.connect(app.dsn, autocommit=True) as connection:
        assert await run(connection, 1, outcome) == 1
        await app.enqueue(count=3_000)
        before = await rows_read(app)
        assert await run(connection, BATCH, outcome) == BATCH
    assert await rows_read(app) - before <= 3 * BATCH  # walked, it would be thousands for each


async def test_the_look_for_vanished_jobs_does_not_walk_the_queue_for_each(app: App) -> None:
    await app.enqueue()
    await gather_statistics_while_nothing_runs(app)
    await app.enqueue(count=RUNNING)
    before = await rows_read(app)
    assert await app.rows("select job_id from jobcore.pgboss_mirror_vanished(%s, 0)", RUNNING) == []
    assert await rows_read(app) - before <= 3 * RUNNING  # walked, it would be hundreds for each


async def test_what_node_ended_is_recorded_without_a_walk_for_each(app: App) -> None:
    await app.enqueue()
    await gather_statistics_while_nothing_runs(app)
    ids = await app.enqueue(count=RUNNING)
    await app.rows("update pgboss.job set state = 'completed', started_on = now(), completed_on = now() returning id")
    before = await rows_read(app)
    (row,) = await app.rows("select jobcore.pgboss_record_ends('noop', %s::uuid[]) as written", list(ids))
    assert row["written"] == RUNNING
    assert await rows_read(app) - before <= 4 * RUNNING  # walked, it would be hundreds for each


async def run(connection: psycopg.AsyncConnection, count: int, outcome: str) -> int:
    """Fetch so many jobs and settle them, as a worker does; return how many."""
    fetched = await (await connection.execute(statement("fetch"), (["noop"], count, 300), binary=True)).fetchall()
    claims = [
        {"queue": row[0], "job_id": row[1], "tenant": row[2], "retry_count": row[5], "started_us": row[6]}
        for row in fetched
    ]
    if outcome == "completed":
        columns = [
            [claim[name] for claim in claims] for name in ("queue", "job_id", "tenant", "retry_count", "started_us")
        ]
        columns[2] = [str(tenant) for tenant in columns[2]]
        cursor = await connection.execute(
            "select jobcore.pgboss_complete(%s, %s, %s, %s::int4[], %s::int8[], %s::int8[], null, null)",
            (*columns, columns[4]),
        )
        return len(await cursor.fetchall())
    settlements = [{**claim, "attempt": 1, "outcome": outcome, "error": {"message": "no"}} for claim in claims]
    cursor = await connection.execute("select applied from jobcore.pgboss_settle(%s)", (encoded(settlements),))
    return sum([applied for (applied,) in await cursor.fetchall()])


async def gather_statistics_while_nothing_runs(app: App) -> None:
    async with await psycopg.AsyncConnection.connect(app.dsn, autocommit=True) as connection:
        await connection.execute("vacuum analyze pgboss.job")


async def rows_read(app: App) -> int:
    (row,) = await app.rows(OTHER_INDEXES)
    return int(row["rows"])


def encoded(claims: list[dict[str, Any]]) -> str:
    return orjson.dumps(claims).decode()
