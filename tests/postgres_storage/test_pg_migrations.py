"""Migrations: up, down and status, on empty and on founding databases, twice at once, killed midway, as a script."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from jobcore.errors import MigrationError, SchemaVersionError, StorageUnavailableError
from jobcore.models import JobFilter
from jobcore_devkit import find_installations
from jobcore_devkit.databases import database_name, fresh_database
from jobcore_devkit.pgbouncer import PgBouncer
from jobcore_devkit.postgres import PostgresServer
from jobcore_devkit.testing import require
from jobcore_postgres import migrations
from jobcore_postgres.migrations import Component
from jobcore_postgres.migrations.compatibility import check_versions
from jobcore_postgres.migrations.components import in_order
from jobcore_postgres.schema_component import own_component
from jobcore_postgres.store import PostgresStore
from postgres_storage.builders import TENANT, running

OWN = (own_component(),)
FOUNDING = Path(__file__).with_name("founding.sql")
RUNNER_COLUMNS = {"runner_type", "external_id", "external_run_id"}


@pytest.fixture
def empty(empty_database_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(empty_database_dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def founding(empty: psycopg.Connection) -> psycopg.Connection:
    """The founding documents' own two tables, with rows, and without the runner columns."""
    empty.execute(FOUNDING.read_bytes())
    return empty


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., Component]:
    """Make a component of these migrations: `version_name` to its SQL."""

    def make(name: str = "small", after: tuple[str, ...] = (), **up: str) -> Component:
        folder = tmp_path / f"{name}-{len(list(tmp_path.iterdir()))}"
        (folder / "functions").mkdir(parents=True)
        for migration, text in up.items():
            number = migration.removeprefix("v")
            (folder / f"{number}.up.sql").write_text(text)
            (folder / f"{number}.down.sql").write_text("select 1;")
        return Component(name, folder, after)

    return make


def test_an_empty_database_gets_everything_and_a_second_run_nothing(empty_database_dsn: str) -> None:
    applied = migrations.migrate(empty_database_dsn, components=OWN)
    assert applied == tuple(f"postgres {migration}" for migration in OWN[0].migrations)
    assert migrations.migrate(empty_database_dsn, components=OWN) == ()
    lines = migrations.status(empty_database_dsn, components=OWN)
    assert all(line.applied_at and line.known and not line.changed for line in lines)


def test_the_installed_components_include_ours_first() -> None:
    components = migrations.installed_components()
    assert components[0].name == "postgres"
    assert len({component.name for component in components}) == len(components)


def test_the_runner_metadata_migration_has_its_founding_name_and_index(empty: psycopg.Connection) -> None:
    migrations.migrate(_dsn(empty), components=OWN)
    names = {str(migration) for migration in OWN[0].migrations}
    assert "20251130000000_add_job_runner_metadata" in names
    row = empty.execute("select indexdef from pg_indexes where indexname = 'idx_jobs_external_id'").fetchone()
    assert row is not None
    assert row[0].endswith("(external_id) WHERE (external_id IS NOT NULL)")
    default = "select column_default, is_nullable from information_schema.columns where column_name = 'runner_type'"
    assert empty.execute(default + " and table_name = 'jobs'").fetchone() == ("'pgboss'::character varying", "NO")


def test_the_founding_tables_are_taken_up_and_given_back_with_their_rows(founding: psycopg.Connection) -> None:
    before = _contents(founding)
    columns = _columns(founding)
    migrations.migrate(_dsn(founding), components=OWN)
    assert _columns(founding)["jobs"].keys() >= RUNNER_COLUMNS
    with founding.transaction():
        founding.execute("set local role jobcore_worker")
        kept = founding.execute("select job_id, runner_type, attempt from jobs order by job_id").fetchall()
    assert [(row[1], row[2]) for row in kept] == [("pgboss", 0)] * len(before["jobs"])

    taken_back = migrations.down(_dsn(founding), "postgres", components=OWN)
    assert taken_back == tuple(f"postgres {migration}" for migration in reversed(OWN[0].migrations))
    assert _columns(founding) == columns
    assert _contents(founding) == before
    assert founding.execute("select to_regnamespace('jobcore')").fetchone() == (None,)


async def test_founding_rows_are_readable_as_records(founding: psycopg.Connection) -> None:
    migrations.migrate(_dsn(founding), components=OWN)
    store = PostgresStore(_dsn(founding))
    await store.open()
    jobs = await store.find_jobs(TENANT, _everything())
    assert {job.status.value for job in jobs} == {"pending", "processing", "completed", "failed", "active", "queued"}
    assert all(job.run_at == job.created_at and job.queue == job.type for job in jobs)
    details = [detail for job in jobs for detail in await store.get_details(TENANT, job.job_id)]
    assert [detail.step_name for detail in details] == ["step", "step"]
    await store.close()


def test_the_runner_columns_alone_go_up_and_down(founding: psycopg.Connection) -> None:
    migrations.migrate(_dsn(founding), components=OWN)
    migrations.down(_dsn(founding), "postgres", "20251130000000", components=OWN)
    assert _columns(founding)["jobs"].keys() >= RUNNER_COLUMNS
    assert "payload" not in _columns(founding)["jobs"]
    migrations.down(_dsn(founding), "postgres", "0001", components=OWN)
    assert not RUNNER_COLUMNS & _columns(founding)["jobs"].keys()
    assert len(_contents(founding)["jobs"]) == 6
    migrations.migrate(_dsn(founding), components=OWN)


def test_runner_columns_that_were_there_before_us_stay_behind(founding: psycopg.Connection) -> None:
    founding.execute(
        """alter table jobs add column runner_type varchar not null default 'pgboss',
        add column external_id varchar, add column external_run_id varchar"""
    )
    before = _columns(founding)
    migrations.migrate(_dsn(founding), components=OWN)
    migrations.down(_dsn(founding), "postgres", components=OWN)
    assert _columns(founding) == before


def test_details_whose_status_was_an_enum_get_it_back(founding: psycopg.Connection) -> None:
    founding.execute("alter table job_details alter column status type job_status using status::job_status")
    before = _columns(founding)
    migrations.migrate(_dsn(founding), components=OWN)
    founding.execute("update job_details set status = 'lost' where retry_count = 2")
    migrations.down(_dsn(founding), "postgres", components=OWN)
    assert _columns(founding) == before
    assert founding.execute("select status::text from job_details where retry_count = 2").fetchone() == ("failed",)


def test_cancelled_jobs_become_failed_ones_on_the_way_down(founding: psycopg.Connection) -> None:
    migrations.migrate(_dsn(founding), components=OWN)
    founding.execute("update jobs set status = 'cancelled', metadata = null where status = 'queued'")
    migrations.down(_dsn(founding), "postgres", components=OWN)
    row = founding.execute("select status::text from jobs where metadata ->> 'cancelled' = 'true'").fetchone()
    assert row == ("failed",)


@pytest.mark.parametrize(
    ("existing", "reason"),
    [
        ("create table jobs (id serial primary key, title text)", "column job_id is missing.*its primary key is"),
        ("create view jobs as select 1 as id", "exists and is not a table of the founding documents"),
        ("create table cron_jobs (id int)", "public.cron_jobs exists"),
        (
            """create type job_status as enum ('open', 'closed');
            create table jobs (tenant uuid, job_id uuid, type text, metadata json, status job_status,
                created_at timestamp, updated_at timestamptz, user_id uuid, primary key (tenant, job_id))""",
            "column created_at is timestamp without time zone.*column metadata is json, not jsonb",
        ),
        (
            "create table job_details (tenant uuid, detail_id uuid, primary key (tenant, detail_id))",
            "job_id is missing",
        ),
    ],
)
def test_tables_that_are_something_else_are_refused_and_left_alone(
    empty: psycopg.Connection, existing: str, reason: str
) -> None:
    empty.execute(existing.encode())
    before = _columns(empty)
    with pytest.raises(MigrationError, match=reason) as caught:
        migrations.migrate(_dsn(empty), components=OWN)
    assert "Nothing was changed" in str(caught.value)
    assert _columns(empty) == before


def test_two_at_once_migrate_once(empty: psycopg.Connection) -> None:
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: migrations.migrate(_dsn(empty), components=OWN), range(4)))
    assert sorted(len(run) for run in runs) == [0, 0, 0, len(OWN[0].migrations)]


def test_two_databases_of_one_server_migrate_at_once(postgres_server: PostgresServer) -> None:
    with ExitStack() as stack, ThreadPoolExecutor(4) as pool:
        dsns = [stack.enter_context(fresh_database(postgres_server)) for _ in range(4)]
        runs = list(pool.map(lambda dsn: migrations.migrate(dsn, components=OWN), dsns))
    assert [len(run) for run in runs] == [len(OWN[0].migrations)] * 4


def test_killed_midway_it_continues_where_it_was(empty: psycopg.Connection, small: Callable[..., Component]) -> None:
    halting = small(v1_a="create table jobcore.a ()", v2_b="create table jobcore.b (); select pg_sleep(60)")
    failures: list[BaseException] = []

    def run() -> None:
        try:
            migrations.migrate(_dsn(empty), components=[halting])
        except MigrationError as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    _kill_the_sleeper(empty)
    thread.join(timeout=20)
    assert "applied as a whole or not at all; run it again" in str(failures[0])
    assert empty.execute("select to_regclass('jobcore.a'), to_regclass('jobcore.b')").fetchone() == ("jobcore.a", None)
    (halting.folder / "2_b.up.sql").write_text("create table jobcore.b ()")
    again = Component("small", halting.folder)
    assert migrations.migrate(_dsn(empty), components=[again]) == ("small 2_b",)


def test_a_process_killed_midway_leaves_no_lock_behind(
    empty: psycopg.Connection, small: Callable[..., Component]
) -> None:
    halting = small(v1_a="select pg_sleep(60)")
    program = (
        "import sys; from pathlib import Path; from jobcore_postgres.migrations import Component, migrate;"
        "migrate(sys.argv[1], components=[Component('small', Path(sys.argv[2]))])"
    )
    with subprocess.Popen([sys.executable, "-c", program, _dsn(empty), str(halting.folder)]) as process:
        pid = _wait_for_the_sleeper(empty)
        process.kill()
    empty.execute("select pg_terminate_backend(%s, 10000)", (pid,))
    assert migrations.migrate(_dsn(empty), components=OWN)


def test_a_table_in_use_makes_the_migration_give_way(
    empty: psycopg.Connection, small: Callable[..., Component], monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = "jobcore_postgres.migrations.session.SESSION_RULES"
    monkeypatch.setattr(rules, "set local lock_timeout = '200ms'; set local role jobcore_owner;")
    migrations.migrate(_dsn(empty), components=OWN)
    grabbing = small(v1_a="alter table public.jobs add column x int")
    with psycopg.connect(_dsn(empty)) as busy:
        busy.execute("select from jobs")
        with pytest.raises(MigrationError, match="gave way.*pg_stat_activity"):
            migrations.migrate(_dsn(empty), components=[grabbing])
    assert migrations.migrate(_dsn(empty), components=[grabbing]) == ("small 1_a",)


def test_a_failing_migration_is_named_with_postgresqls_reason(
    empty: psycopg.Connection, small: Callable[..., Component]
) -> None:
    failing = small(v1_fine="create table jobcore.fine ()", v2_wrong="create table jobcore.x (); select 1 / 0")
    with pytest.raises(MigrationError, match="small 2_wrong failed and was rolled back: division by zero"):
        migrations.migrate(_dsn(empty), components=[failing])
    waiting = {line.version: line.applied_at is None for line in migrations.status(_dsn(empty), components=[failing])}
    assert waiting == {"1": False, "2": True}


def test_status_shows_what_waits_what_changed_and_what_is_unknown(
    empty: psycopg.Connection, small: Callable[..., Component]
) -> None:
    old = small(v1_a="select 1", v2_b="select 2")
    migrations.migrate(_dsn(empty), components=[old])
    new = small(v1_a="select 1 + 0", v3_c="select 3")
    lines = migrations.status(_dsn(empty), components=[new])
    assert [(line.version, line.applied_at is not None, line.known, line.changed) for line in lines] == [
        ("1", True, True, True),
        ("3", False, True, False),
        ("2", True, False, False),
    ]


def test_status_of_a_database_without_a_schema_changes_nothing(empty: psycopg.Connection) -> None:
    assert all(line.applied_at is None for line in migrations.status(_dsn(empty), components=OWN))
    assert empty.execute("select to_regnamespace('jobcore')").fetchone() == (None,)


def test_functions_follow_their_files(empty: psycopg.Connection, small: Callable[..., Component]) -> None:
    component = small(v1_a="select 1")
    folder = component.folder / "functions"
    made = "create or replace function jobcore.{}() returns {} language sql as $$ select 1 $$"
    (folder / "one.sql").write_text(made.format("one", "integer"))
    (folder / "tenant_two.sql").write_text(made.format("tenant_two", "integer"))

    def functions() -> dict[str, tuple[str, bool, bool]]:
        migrations.migrate(_dsn(empty), components=[Component("small", component.folder)])
        rows = empty.execute(
            """select proname, prorettype::regtype::text, has_function_privilege('jobcore_worker', oid, 'execute'),
                has_function_privilege('jobcore_tenant', oid, 'execute')
            from pg_proc where pronamespace = 'jobcore'::regnamespace"""
        ).fetchall()
        return {row[0]: row[1:] for row in rows}

    assert functions() == {"one": ("integer", True, False), "tenant_two": ("integer", True, True)}
    (folder / "one.sql").write_text(made.format("one", "bigint"))
    (folder / "tenant_two.sql").unlink()
    assert functions() == {"one": ("bigint", True, False)}


def test_a_script_for_an_administrator_does_the_same(
    empty: psycopg.Connection, postgres_server: PostgresServer
) -> None:
    script = migrations.render_sql(components=OWN)
    run = subprocess.run([_psql(), "-qX", _dsn(empty)], input=script, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert migrations.migrate(_dsn(empty), components=OWN) == ()
    rest = migrations.render_sql(_dsn(empty), components=OWN)
    assert "0001_founding_tables" in script
    assert "0001_founding_tables" not in rest


def test_a_component_that_others_need_is_not_taken_down_under_them(
    empty: psycopg.Connection, small: Callable[..., Component]
) -> None:
    needing = small(name="queue", after=("postgres",), v1_a="select 1")
    both = [*OWN, needing]
    migrations.migrate(_dsn(empty), components=both)
    with pytest.raises(MigrationError, match="needed by queue, which is still in the database"):
        migrations.down(_dsn(empty), "postgres", components=both)
    migrations.down(_dsn(empty), "queue", components=both)
    migrations.down(_dsn(empty), "postgres", components=both)


def test_down_refuses_what_it_does_not_know(empty: psycopg.Connection, small: Callable[..., Component]) -> None:
    old = small(v1_a="select 1", v2_b="select 2")
    migrations.migrate(_dsn(empty), components=[old])
    with pytest.raises(MigrationError, match="no schema component 'other'; installed: small"):
        migrations.down(_dsn(empty), "other", components=[old])
    with pytest.raises(MigrationError, match=r"no version '7'; it has 1, 2"):
        migrations.down(_dsn(empty), "small", "7", components=[old])
    with pytest.raises(MigrationError, match=r"does not know \(2\)"):
        migrations.down(_dsn(empty), "small", components=[small(v1_a="select 1")])
    assert migrations.down(_dsn(empty), "small", "1", components=[old]) == ("small 2_b",)
    assert migrations.down(_dsn(empty), "small", "1", components=[old]) == ()


def test_files_that_make_no_sense_are_named(tmp_path: Path) -> None:
    (tmp_path / "1_a.up.sql").write_text("")
    with pytest.raises(MigrationError, match=r"1_a\.up\.sql has no 1_a\.down\.sql beside it"):
        _ = Component("x", tmp_path).migrations
    (tmp_path / "1_a.down.sql").write_text("")
    shutil.copy(tmp_path / "1_a.up.sql", tmp_path / "1_b.up.sql")
    shutil.copy(tmp_path / "1_a.up.sql", tmp_path / "1_b.down.sql")
    with pytest.raises(MigrationError, match="have the version 1"):
        _ = Component("x", tmp_path).migrations
    (tmp_path / "first.up.sql").write_text("")
    (tmp_path / "1_b.up.sql").unlink()
    with pytest.raises(MigrationError, match=r"not named VERSION_name\.up\.sql"):
        _ = Component("x", tmp_path).migrations
    (tmp_path / "first.up.sql").rename(tmp_path / "10_c.up.sql")
    for version in ("10_c.down.sql", "2_b.up.sql", "2_b.down.sql"):
        (tmp_path / version).write_text("")
    with pytest.raises(MigrationError, match="10 comes before 2: write versions of the same length"):
        _ = Component("x", tmp_path).migrations
    (tmp_path / "2-b.sql").write_text("")
    with pytest.raises(MigrationError, match=r"2-b\.sql is not named VERSION_name\.up\.sql"):
        _ = Component("x", tmp_path).migrations
    with pytest.raises(MigrationError, match="folder .*gone is missing: see .* the wheel"):
        _ = Component("x", tmp_path / "gone").migrations


def test_components_come_after_what_they_need() -> None:
    a, b, c = Component("a", Path(), ("c",)), Component("b", Path(), ("a",)), Component("c", Path())
    assert in_order({"a": a, "b": b, "c": c}) == (c, a, b)
    with pytest.raises(MigrationError, match=r"'a' needs 'c', which no installed plugin brings; installed: a, b"):
        in_order({"a": a, "b": b})
    with pytest.raises(MigrationError, match="a, c need each other in a circle"):
        in_order({"a": a, "c": Component("c", Path(), ("a",))})


def test_one_version_behind_or_ahead_works_and_further_apart_is_refused() -> None:
    known = ["1", "2", "3"]
    check_versions("x", known, ["1", "2", "3"])
    check_versions("x", known, ["1", "2"])
    check_versions("x", known, ["1", "2", "3", "4"])
    with pytest.raises(SchemaVersionError, match=r"2 versions older.*lacks 2, 3.*jobcore migrate"):
        check_versions("x", known, ["1"])
    with pytest.raises(SchemaVersionError, match=r"2 versions newer.*has 4, 5.*Upgrade jobcore"):
        check_versions("x", known, [*known, "4", "5"])
    with pytest.raises(SchemaVersionError, match="no schema of the component 'x'"):
        check_versions("x", known, [])


async def test_a_store_opens_one_version_apart_and_no_further(database_dsn: str, admin: psycopg.Connection) -> None:
    async def opens() -> bool:
        store = PostgresStore(database_dsn)
        try:
            await store.open()
        except SchemaVersionError:
            return False
        finally:
            await store.close()
        return True

    add = "insert into jobcore.migrations (component, version, name, checksum) values ('postgres', %s, 'later', '')"
    assert await opens()
    admin.execute(add, ("30000000000001",))
    assert await opens()
    admin.execute(add, ("30000000000002",))
    assert not await opens()
    admin.execute("delete from jobcore.migrations where name = 'later'")
    admin.execute("delete from jobcore.migrations where name = 'row_security'")
    assert await opens()
    admin.execute("delete from jobcore.migrations where name = 'workers'")
    assert not await opens()


async def test_a_store_on_an_empty_database_says_migrate(empty_database_dsn: str) -> None:
    store = PostgresStore(empty_database_dsn)
    with pytest.raises(SchemaVersionError, match="Run `jobcore migrate`"):
        await store.open()
    await store.close()


def test_a_pooler_is_refused_for_it_cannot_hold_the_lock(pgbouncer: PgBouncer, empty_database_dsn: str) -> None:
    with pytest.raises(MigrationError, match="there is a pooler in between"):
        migrations.migrate(pgbouncer.dsn(database_name(empty_database_dsn)), components=OWN)


def test_a_database_that_cannot_be_reached_is_named_without_its_password() -> None:
    with pytest.raises(StorageUnavailableError, match="host 127.0.0.1, port 1, database app, user me") as caught:
        migrations.migrate("postgresql://me:sesame@127.0.0.1:1/app", components=OWN)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("version", [each.version for each in find_installations()])
async def test_an_owner_of_the_database_who_may_create_roles_needs_no_superuser(version: str) -> None:
    """As on managed databases, where nobody is a superuser; the rules changed with PostgreSQL 16."""
    programs = next(each.bin_dir for each in find_installations() if each.version == version)
    with PostgresServer.temporary(bin_dir=programs) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as administrator:
            administrator.execute("create role manager login createrole")
            for name in ("app", "second", "third"):
                administrator.execute(f"create database {name} owner manager".encode())
        dsn = server.dsn("app", user="manager")
        with ThreadPoolExecutor(3) as pool:  # whoever comes first makes the roles of the cluster
            dsns = [server.dsn(name, user="manager") for name in ("app", "second", "third")]
            assert all(pool.map(lambda one: migrations.migrate(one, components=OWN), dsns))
        store = PostgresStore(dsn)
        await store.open()
        lease = await running(store)
        database = store.tenant_database(TENANT)
        assert database is not None
        async with database.transaction() as connection:
            cursor = await connection.execute("select current_user::text, job_id from jobs")
            assert await cursor.fetchall() == [("jobcore_tenant", lease.job_id)]
        await store.close()
        assert migrations.down(dsn, "postgres", components=OWN)


def test_roles_that_belong_to_another_are_granted_by_an_administrator(
    postgres_server: PostgresServer, new_login: Callable[[str], str]
) -> None:
    login = new_login("")
    dsn = _database_of(postgres_server, login)
    with pytest.raises(MigrationError, match=f'jobcore_tenant to "{login}"'):
        migrations.migrate(dsn, components=OWN)
    _grant(postgres_server, login)
    assert migrations.migrate(dsn, components=OWN)


def test_a_login_without_rights_is_told_the_sql_for_its_administrator(
    postgres_server: PostgresServer, new_login: Callable[[str], str], empty_database_dsn: str
) -> None:
    login = new_login("")
    dsn = postgres_server.dsn(database_name(empty_database_dsn), user=login)
    with pytest.raises(MigrationError) as caught:
        migrations.migrate(dsn, components=OWN)
    told = str(caught.value).partition("run:\n\n")[2].partition("\nand leave out")[0]
    with psycopg.connect(empty_database_dsn, autocommit=True) as administrator:
        for line in told.strip().splitlines():
            if not line.startswith("create role"):  # they exist in this cluster
                administrator.execute(line.encode())
    assert migrations.migrate(dsn, components=OWN)


def test_a_former_owner_keeps_working_with_its_tables(
    new_login: Callable[[str], str], founding: psycopg.Connection, postgres_server: PostgresServer
) -> None:
    login = new_login("")
    for table in ("jobs", "job_details"):
        founding.execute(f"alter table {table} owner to {login}".encode())
    migrations.migrate(_dsn(founding), components=OWN)
    as_owner = postgres_server.dsn(database_name(_dsn(founding)), user=login)
    with psycopg.connect(as_owner) as application:
        assert len(application.execute("select * from jobs").fetchall()) == 6
        application.execute("update jobs set status = 'failed'")
    migrations.down(_dsn(founding), "postgres", components=OWN)
    row = founding.execute("select tableowner from pg_tables where tablename = 'jobs'").fetchone()
    assert row == (login,)


def _dsn(connection: psycopg.Connection) -> str:
    info = connection.info
    return f"postgresql://{info.user}@/{info.dbname}?host={info.host}&port={info.port}"


def _contents(connection: psycopg.Connection) -> dict[str, list[Any]]:
    return {
        "jobs": connection.execute(
            """select tenant, job_id, type, metadata, status::text, created_at, updated_at, user_id
            from jobs order by job_id"""
        ).fetchall(),
        "job_details": connection.execute(
            """select tenant, detail_id, job_id, step_name, status::text, result, processed_at, retry_count, metadata
            from job_details order by detail_id"""
        ).fetchall(),
    }


def _columns(connection: psycopg.Connection) -> dict[str, dict[str, str]]:
    rows = connection.execute(
        """select c.relname, a.attname, format_type(a.atttypid, null)
        from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'v')
            and a.attnum > 0 and not a.attisdropped
        order by 1, a.attnum"""
    ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        found.setdefault(table, {})[column] = kind
    return found


def _wait_for_the_sleeper(connection: psycopg.Connection) -> int:
    for _ in range(2000):
        row = connection.execute(
            "select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"
        ).fetchone()
        if row is not None:
            return row[0]
        connection.execute("select pg_sleep(0.01)")
    raise AssertionError("nobody sleeps")


def _kill_the_sleeper(connection: psycopg.Connection) -> None:
    connection.execute("select pg_terminate_backend(%s)", (_wait_for_the_sleeper(connection),))


def _psql() -> str:
    for each in find_installations():
        if (each.bin_dir / "psql").exists():
            return str(each.bin_dir / "psql")
    found = shutil.which("psql")
    require("psql", found, "apt-get install postgresql-client")
    return str(found)


def _database_of(server: PostgresServer, login: str) -> str:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"create database {login} owner {login} template template0".encode())
    return server.dsn(login, user=login)


def _grant(server: PostgresServer, login: str) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"grant jobcore_owner, jobcore_worker, jobcore_tenant to {login}".encode())


def _everything() -> Any:
    return JobFilter()
