"""Plain SQL: a script or a trigger enqueues with `jobcore.enqueue`, in its own transaction."""

from __future__ import annotations

import json
from collections.abc import Generator
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import errors as pg
from psycopg.rows import dict_row

from jobcore import JobApp, JobContext, JobData, job
from jobcore.settings import Settings
from pgboss_runner.harness import TENANT

Connection = psycopg.Connection[dict[str, Any]]


class Greeting(JobData):
    name: str


@job("greet")
async def greet(ctx: JobContext, data: Greeting) -> str:
    return f"{data.name} of {data.tenant_id}"


@pytest.fixture
def database(database_dsn: str) -> Generator[Connection]:
    with psycopg.connect(database_dsn, autocommit=True, row_factory=dict_row) as connection:
        yield connection


def enqueue(database: Connection, name: str | None = "greet", data: Any = None, **options: Any) -> UUID:
    payload = json.dumps({"tenantId": str(TENANT), "name": "Ada"} if data is None else data)
    row = database.execute("select jobcore.enqueue(%s, %s, %s) as id", (name, payload, json.dumps(options))).fetchone()
    assert row
    return row["id"]


def jobs(database: Connection) -> list[dict[str, Any]]:
    return database.execute(
        "select j.*, q.priority as queued from jobs j join pgboss.job q on q.id = job_id"
    ).fetchall()


async def test_its_job_is_worked(database: Connection, database_dsn: str) -> None:
    [row] = database.execute(
        """select jobcore.enqueue('greet', '{"name": "Ada"}', %s)""", [json.dumps({"tenant": str(TENANT)})]
    )
    async with JobApp(Settings.load(env={"DATABASE_URL": database_dsn}), handlers=[greet]) as app:
        worker = app.worker()
        await worker.start()
        assert await app.handle(TENANT, row["enqueue"]).result(timeout=10) == f"Ada of {TENANT}"
        await worker.drain()


def test_a_trigger_enqueues_in_the_transaction_of_the_row(database: Connection) -> None:
    database.execute("create table users (id int primary key, name text, tenant uuid)")
    database.execute("""
        create function greet_user() returns trigger language plpgsql as $$
        begin
            perform jobcore.enqueue('greet', jsonb_build_object('tenantId', new.tenant, 'name', new.name));
            return null;
        end $$""")
    database.execute("create trigger greet after insert on users for each row execute function greet_user()")
    insert = "insert into users values (%s, %s, %s)"
    with database.transaction(force_rollback=True):
        database.execute(insert, (1, "Ada", TENANT))
        assert len(jobs(database)) == 1
    assert jobs(database) == []
    database.execute(insert, (1, "Ada", TENANT))
    with pytest.raises(pg.UniqueViolation):
        database.execute(insert, (1, "Ada", TENANT))
    [made] = jobs(database)
    assert (made["payload"]["name"], made["status"], made["tenant"]) == ("Ada", "queued", TENANT)


def test_every_option_arrives(database: Connection) -> None:
    own = UUID("01980000-0000-7000-8000-000000000001")
    made = enqueue(
        database,
        queue="greetings",
        delay=90.5,
        priority=7,
        max_attempts=4,
        dedupe_key="ada",
        job_id=str(own),
        user_id=str(TENANT),
        metadata={"from": "psql"},
    )
    assert made == own
    [row] = jobs(database)
    assert row["run_at"] - row["created_at"] == timedelta(seconds=90.5)
    wanted = {"queue": "greetings", "priority": 7, "queued": 7, "max_attempts": 4, "user_id": TENANT}
    assert {name: row[name] for name in wanted} == wanted
    assert row["metadata"] == {"from": "psql"}
    assert enqueue(database, dedupe_key="ada") == own
    enqueue(database, run_at="2030-01-01T00:00:00Z")
    assert {row["run_at"].year for row in jobs(database)} >= {2030}


def test_ids_are_uuids_of_version_7_that_sort_by_time(database: Connection) -> None:
    ids: list[UUID] = []
    for _ in range(3):
        ids.append(enqueue(database))
        database.execute("select pg_sleep(0.002)")
    assert ids == sorted(ids)
    assert {(made.version, made.variant) for made in ids} == {(7, "specified in RFC 4122")}


def test_a_system_job_needs_no_customer(database: Connection) -> None:
    enqueue(database, data={"tenantId": "system"})
    [row] = jobs(database)
    assert row["tenant"] == UUID(int=0)


@pytest.mark.parametrize(
    ("name", "data", "options", "message"),
    [
        ("greet", {}, {}, "job 'greet': nobody says whose job it is: data has no tenantId"),
        ("greet", {"tenantId": None}, {}, "has no tenantId"),
        ("greet", {"tenantId": "ada"}, {}, "a tenant id is a UUID or 'system', not 'ada'"),
        ("greet", {"tenantId": "system"}, {"tenant": str(TENANT)}, "and options the tenant"),
        ("greet", [1], {}, "data must be a JSON object, not array"),
        ("no spaces", None, {}, "'no spaces' cannot be the name of a job"),
        (None, None, {}, "null cannot be the name of a job"),
        ("greet", None, {"delai": 1, "prio": 2}, "there is no option 'delai', 'prio'"),
        ("greet", None, {"delay": -1}, "delay is a number of seconds from 0"),
        ("greet", None, {"delay": 1, "run_at": "2030-01-01T00:00:00Z"}, "excludes run_at"),
        ("greet", None, {"max_attempts": 0}, "max_attempts must be at least 1, not 0"),
        ("greet", None, {"metadata": [1]}, "metadata must be a JSON object, not array"),
        ("greet", None, {"queue": "no spaces"}, "'no spaces' cannot be the name of a queue"),
        ("greet", None, {"queue": "q" * 201}, "cannot be the name of a queue"),
        ("greet", None, {"dedupe_key": ""}, "dedupe_key has 0 characters, and 1 to 512 are accepted"),
        ("greet", None, {"dedupe_key": "k" * 513}, "dedupe_key has 513 characters"),
        ("greet", None, {"on_conflict": "skip"}, "jobs with the same dedupe_key, and there is none"),
        ("greet", None, {"window": 1}, "jobs with the same dedupe_key, and there is none"),
        ("greet", None, {"dedupe_key": "k", "on_conflict": "drop"}, "on_conflict is skip, replace, supersede"),
        ("greet", None, {"dedupe_key": "k", "on_conflict": "throttle"}, "throttle needs a window, in seconds"),
        ("greet", None, {"dedupe_key": "k", "on_conflict": "throttle", "window": 0}, "throttle needs a window"),
        ("greet", None, {"dedupe_key": "k", "on_conflict": "throttle", "window": "1 s"}, "throttle needs a window"),
        ("greet", None, {"dedupe_key": "k", "on_conflict": "queue", "window": 1}, "on_conflict queue has no window"),
        ("greet", None, {"after": str(TENANT)}, "after must be a JSON array of job ids, not string"),
        ("greet", None, {"after": ["first"]}, 'after must be a JSON array of job ids, and "first" is none'),
        ("greet", None, {"after": [None]}, "and null is none"),
        ("greet", None, {"after": [str(TENANT)] * 10_001}, "after names 10001 jobs, and at most 10,000"),
        ("greet", None, {"after": [str(TENANT)], "on_parent_failure": "stop"}, "cancel, run or wait, not 'stop'"),
        ("greet", None, {"on_parent_failure": "run"}, "if a job of after fails, and there is none"),
        ("greet", None, {"tier": 3}, "tier must be a string, not number"),
        ("greet", None, {"tier": "pro"}, "job 'greet' has no tiers: tier 'pro' would change nothing"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_reason(
    database: Connection, name: str | None, data: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(pg.InvalidParameterValue) as refused:
        enqueue(database, name, data, **options)
    assert message in str(refused.value)
    assert jobs(database) == []


def test_a_null_instead_of_the_payload_is_refused(database: Connection) -> None:
    with pytest.raises(pg.InvalidParameterValue, match="data must be a JSON object, not null"):
        database.execute("select jobcore.enqueue('greet', null)")


def test_a_tenants_role_enqueues_for_its_tenant_only(database: Connection) -> None:
    with database.transaction():
        database.execute("set local role jobcore_tenant")
        with pytest.raises(pg.InsufficientPrivilege, match="no tenant is set"), database.transaction():
            enqueue(database)
        database.execute("select set_config('jobcore.tenant', %s, true)", (str(TENANT),))
        enqueue(database)
        with pytest.raises(pg.InsufficientPrivilege, match="may not write for another"), database.transaction():
            enqueue(database, data={"tenantId": "system"})
    [row] = jobs(database)
    assert row["tenant"] == TENANT


def test_a_login_without_a_role_may_not(database: Connection) -> None:
    with database.transaction(force_rollback=True):
        database.execute("create role nobody_in_particular")
        database.execute("set local role nobody_in_particular")
        with pytest.raises(pg.InsufficientPrivilege):
            enqueue(database)


def test_a_call_of_which_a_pause_holds_some_up_takes_all_of_its_jobs(database: Connection) -> None:
    database.execute("select jobcore.pause_set('handler', 'greet', null, null)")
    jobs = [
        {"id": str(UUID(int=number)), "tenant": str(TENANT), "type": name, "payload": {}}
        for number, name in enumerate(["other", "greet", "other"], 1)
    ]
    answers = database.execute("select * from jobcore.pgboss_enqueue(%s::jsonb)", (json.dumps(jobs),)).fetchall()
    assert [(row["ord"], row["job_id"].int, row["inserted"]) for row in answers] == [
        (1, 1, True),
        (2, 2, True),
        (3, 3, True),
    ]
    waiting = database.execute("select job_id from jobcore.admissions").fetchall()
    queued = database.execute("select id from pgboss.job where name in ('other', 'greet') order by id").fetchall()
    assert [row["job_id"].int for row in waiting] == [2]
    assert [row["id"].int for row in queued] == [1, 3]
