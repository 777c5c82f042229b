"""PgBouncer in front of a server of ours."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import psycopg
import pytest

from jobcore_devkit import BinariesNotFoundError, PgBouncer, PostgresServer, ServerNotRunningError, ServerStartError
from jobcore_devkit._guard_script import is_alive
from jobcore_devkit.databases import database_name


def test_a_transaction_pool_gives_its_connection_back_after_each_transaction(
    pgbouncer: PgBouncer, postgres_server: PostgresServer, empty_database_dsn: str
):
    with PgBouncer(postgres_server, pool_size=1) as narrow:
        dsn = narrow.dsn(database_name(empty_database_dsn))
        with psycopg.connect(dsn, autocommit=True) as one, psycopg.connect(dsn, autocommit=True) as two:
            backends = {each.execute("SELECT pg_backend_pid()").fetchone() for each in (one, two, one)}
    assert len(backends) == 1


def test_what_is_committed_through_the_pool_is_in_the_database(pgbouncer: PgBouncer, empty_database_dsn: str, query):
    with psycopg.connect(pgbouncer.dsn(database_name(empty_database_dsn))) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert query(empty_database_dsn, "SELECT answer FROM kept") == 42


def test_a_new_role_enters_without_a_reload(pgbouncer: PgBouncer, postgres_server: PostgresServer, query):
    query(postgres_server.dsn(), "CREATE ROLE pooled LOGIN PASSWORD 'secret'")
    assert query(pgbouncer.dsn(user="pooled"), "SELECT current_user") == "pooled"
    assert query(pgbouncer.dsn(user="pooled", password="secret", tcp=True), "SELECT current_user") == "pooled"
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(pgbouncer.dsn(user="pooled", password="wrong", tcp=True))


def test_the_superuser_enters_by_tcp(pgbouncer: PgBouncer, query):
    assert query(pgbouncer.dsn(tcp=True), "SELECT current_user") == "postgres"


def test_it_does_not_run_as_root(pgbouncer: PgBouncer):
    assert Path(f"/proc/{pgbouncer.pid}").stat().st_uid != 0


def test_it_finds_the_server_again_after_a_restart(pgbouncer: PgBouncer, query):
    with PostgresServer.temporary() as server, PgBouncer(server) as pool:
        assert query(pool.dsn(), "SELECT 1") == 1
        server.restart("immediate")
        assert query(pool.dsn(), "SELECT 1") == 1


def test_nothing_remains_after_stop(pgbouncer: PgBouncer, postgres_server: PostgresServer):
    pool = PgBouncer(postgres_server)
    pool.start()
    pid = pool.pid
    pool.stop()
    assert not is_alive(pid, "pgbouncer")
    with pytest.raises(ServerNotRunningError):
        pool.dsn()


OWNER = textwrap.dedent(
    """
    import sys
    from jobcore_devkit import PgBouncer, PostgresServer
    server = PostgresServer.temporary()
    server.start()
    pool = PgBouncer(server)
    pool.start()
    print(pool.pid, server.pid, flush=True)
    sys.stdin.read()
    """
)


def test_it_does_not_outlive_a_killed_owner(pgbouncer: PgBouncer, wait_until):
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pool, server = map(int, owner.stdout.readline().split())
    owner.kill()
    owner.communicate()
    wait_until(lambda: not is_alive(pool, "pgbouncer") and not is_alive(server, "postgres"))


def test_a_wrong_setting_is_an_error_with_its_log(pgbouncer: PgBouncer, postgres_server: PostgresServer):
    with pytest.raises(ServerStartError, match="no_such_setting"):
        PgBouncer(postgres_server, settings={"no_such_setting": "1"}).start()


def test_a_machine_without_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, postgres_server: PostgresServer):
    monkeypatch.setattr("jobcore_devkit.pgbouncer.find_pgbouncer", lambda: None)
    with pytest.raises(BinariesNotFoundError, match="apt-get install pgbouncer"):
        PgBouncer(postgres_server).start()
