"""The SQL reference says what the database says."""

from __future__ import annotations

import re

import psycopg
import pytest

from support.samples import ROOT

PAGE = (ROOT / "docs" / "reference" / "sql.md").read_text(encoding="utf-8")
COLUMN = re.compile(r"^\| `(\w+)` \| `([\w ]+)` \|", re.MULTILINE)
FUNCTION = re.compile(r"^jobcore\.(\w+)(\(.*\) → .+)$", re.MULTILINE)

COLUMNS = """
    select attname, format_type(atttypid, null) from pg_attribute
    where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum
"""
FUNCTIONS = """
    select proname, format('(%s) → %s', pg_get_function_arguments(oid), pg_get_function_result(oid)),
        has_function_privilege('jobcore_tenant', oid, 'execute')
    from pg_proc where pronamespace = 'jobcore'::regnamespace
"""
PROTOCOL = {
    *("job_new", "job_claim", "job_settle", "job_cancel_request", "job_requeue", "job_progress", "job_detail"),
    *("job_step_save", "job_steps", "job_may_move"),
    *("pgboss_enqueue", "pgboss_fetch", "pgboss_settle", "pgboss_heartbeat", "pgboss_rescue", "pgboss_cancel"),
    *("pgboss_retry", "job_move", "outbox_retry"),
    *("outbox_enqueue", "outbox_take", "outbox_handed", "outbox_claim", "outbox_settle", "outbox_cancel"),
}


@pytest.fixture
def database(database_dsn: str):
    with psycopg.connect(database_dsn) as connection:
        yield connection


@pytest.mark.parametrize("table", ["jobs", "job_details", "cron_jobs"])
def test_each_column_is_described_with_its_type(database: psycopg.Connection, table: str):
    [section] = re.findall(rf"^## `{table}`\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    assert sorted(COLUMN.findall(section)) == sorted(database.execute(COLUMNS, [f"public.{table}"]))


def test_functions_are_described_as_they_are(database: psycopg.Connection):
    there = {(name, signature) for name, signature, _ in database.execute(FUNCTIONS)}
    assert set(FUNCTION.findall(PAGE)) - there == set()


def test_every_function_of_the_protocol_and_for_tenants_is_described(database: psycopg.Connection):
    for_tenants = {name for name, _, allowed in database.execute(FUNCTIONS) if allowed}
    assert for_tenants | PROTOCOL <= {name for name, _ in FUNCTION.findall(PAGE)}
