"""What goes wrong in production: killed workers, killed connections, restarted servers, poolers."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import psycopg
import pytest

from jobcore.errors import SchemaVersionError
from jobcore_devkit.postgres import PostgresServer
from pgboss_runner.harness import App, TrivialExecutor, eventually, noop, opened

WORKER = Path(__file__).with_name("worker_process.py")


async def start_worker_process(dsn: str, seconds: float) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(WORKER), dsn, str(seconds), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        assert await process.stdout.readline() == b"ready\n"
    return process


async def test_the_jobs_of_a_killed_worker_are_done_by_another(app: App) -> None:
    process = await start_worker_process(app.dsn, 60)
    ids = await app.enqueue("sleeps", count=5, max_attempts=1)
    await app.wait_for_status("processing", *ids)
    process.kill()
    await process.wait()
    async with app.working(TrivialExecutor({"sleeps": noop})) as worker:
        await app.wait_for_status("completed", *ids)
    assert {(await app.job(job_id))["rescues"] for job_id in ids} == {1}
    lost = await app.rows("select result ->> 'message' as message from job_details where status = 'lost'")
    assert len(lost) == 5
    assert all(str(worker.worker_id) not in row["message"] for row in lost)
    assert sorted(app.recorder.rescued) == sorted(str(job_id) for job_id in ids)


async def test_a_killed_listener_is_covered_by_polling_and_comes_back(app: App) -> None:
    async with app.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: _has_listener(app))
        (old,) = await app.rows(LISTENERS)
        await app.rows("select pg_terminate_backend(%s)", old["pid"])
        (job_id,) = await app.enqueue()
        await app.wait_for_status("completed", job_id, seconds=2)
        await eventually(lambda: _has_listener(app, but=old["pid"]))


async def test_a_listener_that_hears_no_more_makes_itself_anew(app: App) -> None:
    async with app.working(TrivialExecutor({"noop": noop})) as worker:
        await eventually(lambda: _has_listener(app))
        (old,) = await app.rows(LISTENERS)
        worker._listener._probe_channel = "somebody_else"
        await eventually(lambda: _has_listener(app, but=old["pid"]), 15)


async def test_every_connection_of_a_worker_can_be_killed(app: App) -> None:
    ids = await app.enqueue(count=300)

    async def short(claim, session, abort):
        await asyncio.sleep(0.005)

    async with app.working(TrivialExecutor({"noop": short})):
        for _ in range(5):
            await app.rows(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where application_name like 'jobcore worker %%' and datname = current_database()"
            )
            await asyncio.sleep(0.1)
        await app.wait_for_status("completed", *ids, seconds=20)


async def test_nothing_is_lost_through_immediate_restarts(
    durable_postgres_server: PostgresServer, durable_database_dsn: str
) -> None:
    async with opened(durable_database_dsn) as app:
        ids = await app.enqueue(count=2000)
        executor = TrivialExecutor({"noop": noop})
        async with app.working(executor):
            for _ in range(3):
                await executor.wait_started(len(executor.started) + 100)
                await asyncio.to_thread(durable_postgres_server.restart, "immediate")
            await app.wait_for_status("completed", *ids, seconds=40)
        assert await app.rows("select from pgboss.job") == []


async def test_a_worker_serves_through_a_pooler_by_polling(
    pgbouncer_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(pgbouncer_dsn) as app, app.working(TrivialExecutor({"noop": noop})):
        ids = await app.enqueue(count=50)
        await app.wait_for_status("completed", *ids)
    assert "There is a pooler" in caplog.text


async def test_a_database_without_the_queue_is_refused(empty_database_dsn: str) -> None:
    from jobcore_pgboss.schema import attach
    from jobcore_postgres.database import Database

    database = Database(empty_database_dsn)
    await database.open()
    async with database.lend() as connection:
        with pytest.raises(SchemaVersionError, match="jobcore migrate"):
            await attach(connection)
    await database.close()


@pytest.mark.parametrize("version", [41, 42, 47])
async def test_versions_are_told_apart(app: App, version: int, caplog: pytest.LogCaptureFixture) -> None:
    await app.rows("update pgboss.version set version = %s returning version", version)
    if version < 42:
        with pytest.raises(SchemaVersionError, match="version 41"):
            await app.runner.open()
        assert not (await app.runner.health()).healthy
    else:
        await app.runner.open()
    assert ("has version 47" in caplog.text) == (version == 47)


async def test_a_missing_column_is_refused_by_name(app: App) -> None:
    from psycopg import AsyncConnection

    async with await AsyncConnection.connect(app.dsn, autocommit=True) as connection:
        await connection.execute("alter table pgboss.job drop column heartbeat_on")
    with pytest.raises(SchemaVersionError, match=r"job\.heartbeat_on"):
        await app.runner.open()


LISTENERS = """
select pid from pg_stat_activity
where application_name = 'jobcore worker listener' and datname = current_database() and query like 'listen%%'
    or application_name = 'jobcore worker listener' and datname = current_database() and query like '%%pg_notify%%'
"""


async def _has_listener(app: App, but: int | None = None) -> bool:
    rows = await app.rows(LISTENERS)
    return len(rows) == 1 and rows[0]["pid"] != but


async def test_an_end_whose_reply_was_lost_counts_as_written(app: App) -> None:
    async with app.working(TrivialExecutor({"noop": noop})) as worker:
        settler = worker._settler
        write, lost = settler._write, []

        async def write_and_lose_the_reply(connection, endings):
            written = await write(connection, endings)
            if not lost:
                lost.append(written)
                raise psycopg.OperationalError("the reply is lost")
            return written

        settler._write = write_and_lose_the_reply
        (job_id,) = await app.enqueue()
        await app.wait_for_status("completed", job_id)
        await eventually(lambda: _told(app))
    assert [applied for _, applied in app.recorder.settled] == [True]


async def _told(app: App) -> bool:
    return bool(app.recorder.settled)
