"""Hearing of new work: on a connection of its own beside a pooler, and after it was lost without a word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from urllib.parse import urlsplit

import psycopg
import pytest

from jobcore.errors import ConfigurationError
from jobcore_devkit.postgres import PostgresServer
from jobcore_pgboss.identity import WORK_CHANNEL
from jobcore_pgboss.settings import PgBossSettings
from jobcore_postgres.background import link as link_module
from jobcore_postgres.background import listener as listener_module
from pgboss_runner.harness import App, TrivialExecutor, eventually, noop, opened
from support.proxy import Proxy, proxied

HOUR = 3600
LISTENERS = """
select pid from pg_stat_activity where application_name = 'jobcore worker listener' and datname = current_database()
"""


@pytest.fixture
async def proxy(postgres_server: PostgresServer) -> AsyncGenerator[Proxy]:
    async with proxied(postgres_server.port) as proxy:
        yield proxy


@pytest.fixture
def proxied_url(postgres_server: PostgresServer, database_dsn: str, proxy: Proxy) -> str:
    """The test's database, through the proxy."""
    direct = urlsplit(postgres_server.dsn(urlsplit(database_dsn).path.lstrip("/"), tcp=True))
    return direct._replace(netloc=f"{direct.netloc.rpartition(':')[0]}:{proxy.port}").geturl()


async def listens(app: App) -> bool:
    return len(await app.rows(LISTENERS)) == 1


async def test_a_listener_that_was_cut_silently_notices_and_connects_again(
    database_dsn: str,
    proxied_url: str,
    proxy: Proxy,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listener_module, "PROBE_PATIENCE", 1)
    caplog.set_level("INFO", "jobcore")
    settings = {"listen_url": proxied_url, "probe_interval_seconds": 0.5}
    async with opened(database_dsn, **settings) as app, app.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: listens(app))
        proxy.silence()
        (job_id,) = await app.enqueue()
        await app.wait_for_status("completed", job_id, seconds=3)  # found by polling

        async def connected_again() -> bool:
            return proxy.connections >= 2 and "The listener works again" in caplog.text

        await eventually(connected_again, 15)
    assert "no longer hears its own notifications" in caplog.text


@pytest.mark.skipif(
    psycopg.pq.version() < 170000, reason="an older libpq stops the whole process, with the proxy, while it cancels"
)
async def test_a_worker_whose_every_connection_was_cut_silently_goes_on(
    database_dsn: str, proxied_url: str, proxy: Proxy, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener_module, "PROBE_PATIENCE", 1)
    monkeypatch.setattr(link_module, "PATIENCE", 1)
    released = asyncio.Event()

    async def hold(claim, session, abort):
        await released.wait()

    async with opened(database_dsn) as near, opened(proxied_url, lease_seconds=10) as far:
        executor = TrivialExecutor({"noop": noop, "held": hold})
        async with far.working(executor):
            (held,) = await near.enqueue("held")
            await executor.wait_started(1)
            proxy.silence()
            (job_id,) = await near.enqueue()
            await near.wait_for_status("completed", job_id, seconds=40)
            released.set()
            await near.wait_for_status("completed", held, seconds=40)
        assert (await near.job(held))["attempt"] == 1
    assert "has not answered within 1 s" in caplog.text


async def test_a_new_listener_hears_again(database_dsn: str, proxied_url: str, proxy: Proxy) -> None:
    settings = {"listen_url": proxied_url, "probe_interval_seconds": 0.2}
    async with opened(database_dsn, **settings) as app, app.working(TrivialExecutor({"noop": noop})) as worker:
        await eventually(lambda: listens(app))
        await app.rows(LISTENERS.replace("select pid", "select pg_terminate_backend(pid)"))

        async def heard() -> bool:
            return proxy.connections >= 2 and await listens(app) and worker._listener._heard_itself

        await eventually(heard)


async def test_beside_a_pooler_jobs_are_heard_of_at_the_listen_url(
    pgbouncer_dsn: str, database_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "jobcore")
    async with opened(pgbouncer_dsn, listen_url=database_dsn, poll_interval_seconds=HOUR) as app:
        executor = TrivialExecutor({"noop": noop})
        async with app.working(executor):
            await eventually(lambda: listens(app))
            for _ in range(3):
                (job_id,) = await app.enqueue()
                await app.wait_for_status("completed", job_id)
    assert "Notifications are heard on a connection of their own" in caplog.text
    assert "There is a pooler" not in caplog.text


async def test_a_listen_url_that_leads_to_a_pooler_too_is_told_once(
    pgbouncer_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(pgbouncer_dsn, listen_url=pgbouncer_dsn) as app, app.working(TrivialExecutor({"noop": noop})):
        (job_id,) = await app.enqueue()
        await app.wait_for_status("completed", job_id)
    assert caplog.text.count("LISTEN_URL leads to a pooler too") == 1


async def test_a_listen_url_to_another_database_is_refused(database_dsn: str, other_migrated_dsn: str) -> None:
    async with opened(database_dsn, listen_url=other_migrated_dsn) as app:
        with pytest.raises(ConfigurationError, match="leads to another database"):
            async with app.working(TrivialExecutor({"noop": noop})):
                pass


async def test_a_listen_url_that_is_away_leaves_polling(database_dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    async with opened(database_dsn, listen_url=nowhere) as app, app.working(TrivialExecutor({"noop": noop})):
        (job_id,) = await app.enqueue()
        await app.wait_for_status("completed", job_id)
    assert "The listener had trouble with the database" in caplog.text


def test_the_listen_urls_password_is_not_shown() -> None:
    assert "secret" not in repr(PgBossSettings(listen_url="postgresql://jobs:secret@localhost/app"))


async def test_the_channel_of_new_work_is_the_one_that_the_database_tells_on(database_dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_dsn) as connection:
        cursor = await connection.execute("select jobcore.pgboss_channel()")
        assert await cursor.fetchall() == [(WORK_CHANNEL,)]
