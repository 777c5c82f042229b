"""The database goes away for good, or becomes a standby, while a worker holds jobs."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import psycopg
import pytest

from jobcore.errors import StorageUnavailableError
from jobcore_devkit.lane import Lane
from jobcore_devkit.postgres import PostgresServer
from jobcore_pgboss import runner as runner_module
from jobcore_pgboss import worker as worker_module
from pgboss_runner.harness import App, TrivialExecutor, eventually, noop, opened

GRACE = timedelta(seconds=1)
KICK = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""


async def test_a_drain_ends_by_itself_when_the_database_is_gone_for_good(
    durable_postgres_server: PostgresServer,
    durable_database_dsn: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_module, "LAST_WORD", 0.5)
    released = asyncio.Event()

    async def hold(claim, session, abort):
        await released.wait()

    async with opened(durable_database_dsn) as app:
        executor = TrivialExecutor({"noop": hold})
        (job_id,) = await app.enqueue()
        host = replace(app.host(executor), grace=GRACE)
        worker = app.runner.worker(host)
        await worker.start()
        await executor.wait_started(1)
        await asyncio.to_thread(durable_postgres_server.stop, "immediate")
        released.set()
        async with asyncio.timeout(15):
            await worker.drain()
            await worker.wait_closed()
        assert "The database has been away for 1 s" in caplog.text
        assert f"The database did not take how 1 jobs ended: {job_id}" in caplog.text
        await asyncio.to_thread(durable_postgres_server.start)
        async with app.working(TrivialExecutor({"noop": noop})):
            await app.wait_for_status("completed", job_id)


async def test_a_job_that_waits_for_the_database_does_not_hold_a_drain_up(
    durable_postgres_server: PostgresServer, durable_database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "LAST_WORD", 0.5)
    gone = asyncio.Event()

    async def report(claim, session, abort):
        await gone.wait()
        await session.progress(50, None)

    async with opened(durable_database_dsn) as app:
        executor = TrivialExecutor({"noop": report})
        await app.enqueue()
        worker = app.runner.worker(replace(app.host(executor), grace=GRACE))
        await worker.start()
        await executor.wait_started(1)
        await asyncio.to_thread(durable_postgres_server.stop, "immediate")
        gone.set()
        async with asyncio.timeout(15):
            await worker.drain()
        await asyncio.to_thread(durable_postgres_server.start)


async def test_a_drain_waits_through_a_short_absence(
    durable_postgres_server: PostgresServer, durable_database_dsn: str
) -> None:
    released = asyncio.Event()

    async def hold(claim, session, abort):
        await released.wait()

    async with opened(durable_database_dsn) as app:
        executor = TrivialExecutor({"noop": hold})
        (job_id,) = await app.enqueue()
        worker = app.runner.worker(app.host(executor))
        await worker.start()
        await executor.wait_started(1)
        await asyncio.to_thread(durable_postgres_server.stop, "immediate")
        released.set()
        draining = asyncio.create_task(worker.drain())
        await asyncio.to_thread(durable_postgres_server.start)
        async with asyncio.timeout(20):
            await draining
        assert (await app.job(job_id))["status"] == "completed"


async def set_read_only(app: App, *, read_only: bool) -> None:
    """Let new connections take no writes, or take them again. Nobody's connection is ended."""
    async with await psycopg.AsyncConnection.connect(app.dsn, autocommit=True) as connection:
        await connection.execute("set default_transaction_read_only = off")
        await connection.execute(
            f'alter database "{connection.info.dbname}" set default_transaction_read_only = {read_only}'
        )


async def accepted(app: App) -> bool:
    """Whether a job can be enqueued now."""
    try:
        await app.enqueue()
    except StorageUnavailableError:
        return False
    return True


async def test_a_database_that_takes_no_writes_is_waited_out_like_one_that_is_away(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "jobcore")
    released = asyncio.Event()

    async def hold(claim, session, abort):
        await released.wait()

    executor = TrivialExecutor({"held": hold, "noop": noop})
    async with app.working(executor):
        (held,) = await app.enqueue("held")
        await executor.wait_started(1)
        await set_read_only(app, read_only=True)
        await app.rows(KICK)
        released.set()

        async def told() -> bool:
            return "PostgreSQL takes no writes" in caplog.text and "The settler had trouble" in caplog.text

        await eventually(told)
        await set_read_only(app, read_only=False)  # each role must leave the standby by itself
        await app.wait_for_status("completed", held, seconds=20)
        await eventually(lambda: accepted(app))
    assert "The settler works again" in caplog.text


async def test_pooled_connections_to_a_standby_are_not_used_again(app: App) -> None:
    await set_read_only(app, read_only=True)
    await app.store.database.close()
    await app.store.database.open()
    with pytest.raises(StorageUnavailableError, match="takes no writes"):
        await app.enqueue()
    await set_read_only(app, read_only=False)
    await eventually(lambda: accepted(app))


async def test_the_heartbeat_does_not_wait_for_a_long_rescue(app: App) -> None:
    """A sweep after a crash of many workers takes long; the leases of this worker's own jobs are kept meanwhile."""
    released = asyncio.Event()

    async def hold(claim, session, abort):
        await released.wait()

    executor = TrivialExecutor({"noop": hold})
    async with app.working(executor) as worker:
        (job_id,) = await app.enqueue()
        await executor.wait_started(1)
        async with worker._rescuer._link.use():  # the rescuer is busy

            async def extended_twice() -> bool:
                (run,) = list(worker._runs)
                return run.extended_at > run.fetched_at + 1

            await eventually(extended_twice)
        released.set()
        await app.wait_for_status("completed", job_id)


async def test_health_says_in_time_that_nobody_answers(
    postgres_server: PostgresServer, database_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "HEALTH_PATIENCE", 0.5)
    direct = urlsplit(postgres_server.dsn(urlsplit(database_dsn).path.lstrip("/"), tcp=True))
    with Lane(postgres_server.port) as lane:
        through = direct._replace(netloc=f"{direct.netloc.rpartition(':')[0]}:{lane.port}").geturl()
        async with opened(through) as app:
            assert (await app.runner.health()).healthy
            lane.black_hole()
            asked = time.monotonic()
            health = await app.runner.health()
            assert time.monotonic() - asked < 5, "a cancelled statement lasts ten seconds where nobody answers"
            lane.heal()
    assert (health.healthy, health.detail) == (False, "PostgreSQL has not answered within 0.5 s.")
