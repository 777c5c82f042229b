"""Which workers live; and what the plugin offers: a storage, its settings, and a check for `jobcore doctor`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from uuid import uuid4

import psycopg

from jobcore.models import WorkerRecord
from jobcore.plugins.manager import PluginManager
from jobcore.settings import Settings
from jobcore_devkit.databases import database_name
from jobcore_devkit.postgres import PostgresServer
from jobcore_postgres.checks import check_database
from jobcore_postgres.store import PostgresStore


def worker(**fields: object) -> WorkerRecord:
    given: dict[str, object] = {
        "worker_id": uuid4(),
        "runner_type": "pgboss",
        "host": "host-1",
        "pid": 4711,
        "handlers": ("a", "b"),
        "queues": ("q",),
        "concurrency": 10,
        "details": {"version": "0.1.0"},
    }
    return WorkerRecord(**{**given, **fields})  # pyright: ignore[reportArgumentType]


async def test_a_worker_lives_while_it_is_seen(store: PostgresStore, admin: psycopg.Connection) -> None:
    first, second = worker(), worker(host="host-2")
    await store.announce(first)
    await store.announce(second)
    (seen, _) = await store.live_workers()
    assert (seen.worker_id, seen.handlers, seen.queues, seen.details) == (
        first.worker_id,
        ("a", "b"),
        ("q",),
        {"version": "0.1.0"},
    )
    admin.execute("update jobcore.workers set seen_at = seen_at - interval '61 s' where host = 'host-1'")
    assert [one.host for one in await store.live_workers()] == ["host-2"]
    await store.announce(worker(worker_id=first.worker_id, stopping=True, handlers=("c",)))
    again = next(one for one in await store.live_workers() if one.worker_id == first.worker_id)
    assert (again.stopping, again.handlers, again.started_at) == (True, ("c",), seen.started_at)
    await store.retire(first.worker_id)
    await store.retire(first.worker_id)
    assert [one.host for one in await store.live_workers()] == ["host-2"]


async def test_the_plugin_offers_the_storage_with_its_settings(worker_dsn: str) -> None:
    settings = Settings.load(env={"DATABASE_URL": worker_dsn, "JOBCORE_POSTGRES__POOL_MAX": "3"})
    plugins = PluginManager().load(settings, required=False)
    store = plugins.storages["postgres"].factory(settings)
    (check,) = [one for one in plugins.checks if one.name == "postgres"]
    assert (await check.check(SimpleNamespace(settings=settings))).ok
    assert isinstance(store, PostgresStore)
    assert store.storage_type == "postgres"
    await store.open()
    assert await store.ping() > 0
    await store.close()


def test_the_plugins_module_loads_no_driver() -> None:
    program = "import sys, jobcore_postgres.plugin; sys.exit('psycopg' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


async def test_the_check_finds_a_database_that_is_well(worker_dsn: str, database_dsn: str) -> None:
    ordinary = await check_database(worker_dsn)
    assert ordinary.ok
    assert "superuser" not in ordinary.message
    assert "superuser" in (await check_database(database_dsn)).message


async def test_the_check_says_what_is_wrong_and_what_to_do(
    empty_database_dsn: str, tenant_dsn: str, postgres_server: PostgresServer, new_login: Callable[[str], str]
) -> None:
    for dsn, message, remedy in (
        (None, "no database is configured", "DATABASE_URL"),
        ("postgresql://ann:sesame@127.0.0.1:1/app", "cannot be reached", "message"),
        (empty_database_dsn, "no schema", "jobcore migrate"),
        (tenant_dsn, "no member of jobcore_worker", "jobcore_worker"),
        (postgres_server.dsn(database_name(tenant_dsn), user=new_login("")), "permission denied", "jobcore_worker"),
    ):
        result = await check_database(dsn)
        assert not result.ok
        assert message in result.message
        assert remedy in result.remedy
        assert "sesame" not in result.message
