"""The background duties as a login that is no superuser, on schemas that are not quite ours."""

from __future__ import annotations

import psycopg
import pytest

from jobcore_devkit.databases import database_name
from jobcore_devkit.postgres import PostgresServer
from jobcore_pgboss.duties.desk import Desk
from jobcore_pgboss.duties.pruner import Pruner
from jobcore_pgboss.supervision import SupervisionSettings
from jobcore_postgres.background.link import Link
from pgboss_runner.harness import App, TrivialExecutor, eventually, noop, opened
from pgboss_runner.supervised import busy

LOGIN = "test_duties"


@pytest.fixture
def worker_dsn(postgres_server: PostgresServer, database_dsn: str) -> str:
    """The test's database as a login that is in the engine's role, and in no other."""
    with psycopg.connect(postgres_server.dsn(), autocommit=True) as connection:
        if connection.execute("select from pg_roles where rolname = %s", (LOGIN,)).fetchone() is None:
            connection.execute(f"create role {LOGIN} login in role jobcore_worker".encode())
    return postgres_server.dsn(database_name(database_dsn), user=LOGIN)


async def test_the_engines_role_may_do_every_duty(app: App, worker_dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    await app.rows("select pgboss.create_queue('kept', '{\"policy\": \"standard\"}')")
    await app.rows(
        "insert into pgboss.job (name, state, started_on, completed_on, deletion_seconds) values"
        " ('kept', 'completed', now() - interval '1 hour', now() - interval '1 hour', 1),"
        " ('kept', 'completed', now(), now(), 3600), ('kept', 'active', now() - interval '1 hour', null, 1)"
        " returning id"
    )
    await app.rows(
        "insert into pgboss.schedule (name, cron, options) values ('kept', '* * * * * *', '{}') returning key"
    )
    async with (
        opened(worker_dsn, supervision=busy(persist_warnings=True)) as working,
        working.working(TrivialExecutor({"noop": noop})) as worker,
    ):
        await eventually(lambda: is_all_done(app))
    (instance,) = await app.rows("select stopped_on is not null as stopped from pgboss.instance")
    assert instance["stopped"], worker.worker_id
    assert [record.getMessage() for record in caplog.records if "trouble" in record.getMessage()] == []


async def is_all_done(app: App) -> bool:
    """Whether the old row is gone, the new one mirrored, the stuck one failed, and the schedule fired."""
    (row,) = await app.rows(
        """select count(*) filter (where state = 'completed') as completed,
                  count(*) filter (where state in ('retry', 'failed') and started_on is not null) as failed,
                  count(*) filter (where started_on is null) as fired,
                  (select count(*) from jobs where status = 'completed') as mirrored
           from pgboss.job where name = 'kept'"""
    )
    return row["completed"] == 1 and row["failed"] == 1 and row["fired"] >= 1 and row["mirrored"] >= 1


async def test_a_prune_that_is_cut_short_hands_its_queue_back(app: App) -> None:
    await app.rows("select pgboss.create_queue('half', '{\"policy\": \"standard\"}')")
    desk = Desk(Link(app.store.database, "test"), SupervisionSettings())
    async with await psycopg.AsyncConnection.connect(app.dsn, autocommit=True) as connection:
        await connection.execute("alter table pgboss.job_dependency rename to elsewhere")
        with pytest.raises(psycopg.errors.UndefinedTable):
            await Pruner(desk).prune_due()
        (row,) = await app.rows("select maintain_on from pgboss.queue where name = 'half'")
        assert row["maintain_on"] is None
        await connection.execute("alter table pgboss.elsewhere rename to job_dependency")
    await Pruner(desk).prune_due()
    await desk.close()
    (row,) = await app.rows("select maintain_on is not null as done from pgboss.queue where name = 'half'")
    assert row["done"]
