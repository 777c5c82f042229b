"""How the statements of the hot path find their rows: by key, however many jobs run or wait beside them."""

from __future__ import annotations

from typing import Any

import orjson
import psycopg

from pgboss_runner.harness import App

RUNNING = 1_000
OTHER_INDEXES = """
    select sum(idx_tup_read) as rows
    from pg_stat_user_indexes
    where relname = 'job_common' and indexrelname <> 'job_common_pkey'
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

    held = await app.rows("select held from jobcore.pgboss_heartbeat(%s, true)", encoded(claims))
    applied = await app.rows("select applied from jobcore.pgboss_settle(%s)", encoded(claims))

    assert [row["held"] for row in held] == [True] * RUNNING
    assert [row["applied"] for row in applied] == [True] * RUNNING
    assert await rows_read(app) - before <= RUNNING  # walked, it would be hundreds for each


async def gather_statistics_while_nothing_runs(app: App) -> None:
    async with await psycopg.AsyncConnection.connect(app.dsn, autocommit=True) as connection:
        await connection.execute("vacuum analyze pgboss.job")


async def rows_read(app: App) -> int:
    (row,) = await app.rows(OTHER_INDEXES)
    return int(row["rows"])


def encoded(claims: list[dict[str, Any]]) -> str:
    return orjson.dumps(claims).decode()
