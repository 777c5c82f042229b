"""S01 to S08: the two tables, as a program of somebody else finds them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from jobcore import JobApp, JobContext, JobRunnerFactory, JobState
from jobcore.app import JobRunnerFace
from jobcore.models import JobFilter
from jobcore.settings import Settings
from jobcore_postgres.service import JobService
from requirements.words import TENANT, Tables, ended

JOBS = {
    "tenant": ("uuid", "NO", None),
    "job_id": ("uuid", "NO", "gen_random_uuid()"),
    "type": ("character varying", "NO", None),
    "metadata": ("jsonb", "YES", None),
    "status": ("job_status", "NO", "'pending'::job_status"),
    "created_at": ("timestamp with time zone", "NO", "now()"),
    "updated_at": ("timestamp with time zone", "YES", None),
    "user_id": ("uuid", "NO", None),
    "runner_type": ("character varying", "NO", "'pgboss'::character varying"),
    "external_id": ("character varying", "YES", None),
    "external_run_id": ("character varying", "YES", None),
}
DETAILS = {
    "tenant": ("uuid", "NO", None),
    "detail_id": ("uuid", "NO", "gen_random_uuid()"),
    "job_id": ("uuid", "NO", None),
    "step_name": ("character varying", "NO", None),
    "status": ("character varying", "YES", None),
    "result": ("jsonb", "YES", None),
    "processed_at": ("timestamp with time zone", "YES", None),
    "retry_count": ("integer", "NO", "0"),
    "metadata": ("jsonb", "YES", None),
}
COLUMNS = """
select column_name, is_nullable, column_default,
    case data_type when 'USER-DEFINED' then udt_name else data_type end as type
from information_schema.columns where table_schema = 'public' and table_name = %s
"""
KEYS = """
select pg_get_constraintdef(oid) as text from pg_constraint where conrelid = %s::regclass and contype in ('p', 'f')
"""


@pytest.mark.parametrize(("table", "wanted"), [("jobs", JOBS), ("job_details", DETAILS)])
def test_s01_s02_the_founding_columns_are_as_asked(
    tables: Tables, table: str, wanted: dict[str, tuple[str, str, str | None]]
) -> None:
    found = {
        row["column_name"]: (row["type"], row["is_nullable"], row["column_default"])
        for row in tables.all(COLUMNS, table)
    }
    assert {name: found.get(name) for name in wanted} == wanted


def test_s01_s02_the_tenant_leads_the_keys(tables: Tables) -> None:
    def keys(table: str) -> set[str]:
        return {row["text"] for row in tables.all(KEYS, table)}

    assert keys("public.jobs") == {"PRIMARY KEY (tenant, job_id)"}
    assert keys("public.job_details") == {
        "PRIMARY KEY (tenant, detail_id)",
        "FOREIGN KEY (tenant, job_id) REFERENCES jobs(tenant, job_id)",
    }


def test_s01_s02_rows_written_by_hand_get_the_defaults(tables: Tables) -> None:
    job = tables.one(
        "insert into jobs (tenant, type, user_id) values (%s, 'by hand', %s) returning *", TENANT, uuid4()
    )  # fmt: skip
    assert (job["status"], job["runner_type"], job["external_id"]) == ("pending", "pgboss", None)
    assert isinstance(job["job_id"], UUID)
    detail = tables.one(
        "insert into job_details (tenant, job_id, step_name) values (%s, %s, 'step') returning *",
        TENANT,
        job["job_id"],
    )
    assert detail["retry_count"] == 0
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        tables.all("insert into job_details (tenant, job_id, step_name) values (%s, %s, 's')", TENANT, uuid4())
    with pytest.raises(psycopg.errors.NotNullViolation):
        tables.all("insert into jobs (tenant, type) values (%s, 'without user')", TENANT)


def test_s03_the_states_are_the_documents_and_cancelled(tables: Tables) -> None:
    states = [row["state"] for row in tables.all("select unnest(enum_range(null::job_status))::text as state")]
    assert states == ["pending", "processing", "completed", "failed", "active", "queued", "cancelled"]
    assert set(states) == {state.value for state in JobState}


def test_s04_external_ids_have_a_partial_index(tables: Tables) -> None:
    index = tables.one("select indexdef from pg_indexes where indexname = 'idx_jobs_external_id'")["indexdef"]
    assert index.endswith("(external_id) WHERE (external_id IS NOT NULL)")


async def test_s05_s06_s07_the_recipes_tell_what_really_ran(runner: JobRunnerFace, tables: Tables) -> None:
    async def pages(ctx: JobContext, data: dict[str, Any]) -> None:
        await ctx.detail("page 1", "completed", result={"rows": 3})
        if ctx.attempt == 1:
            raise ConnectionError("the printer is away")
        await ctx.detail("page 2", "completed")

    retry = {"max_attempts": 2, "initial_interval_ms": 50}
    runner.register_handler({"name": "pages", "handler": pages, "retry": retry})
    await runner.start()
    first = await runner.schedule_job("pages", {"tenantId": TENANT})
    await ended(runner, first.job_id)
    second = await runner.schedule_job("pages", {"tenantId": TENANT})
    await ended(runner, second.job_id)

    by_tenant = tables.all("SELECT * FROM jobs WHERE tenant = %s ORDER BY created_at DESC", TENANT)
    assert [row["job_id"] for row in by_tenant] == [second.job_id, first.job_id]
    details = tables.all("SELECT * FROM job_details WHERE job_id = %s ORDER BY processed_at", first.job_id)
    assert [(row["step_name"], row["status"]) for row in details] == [
        ("attempt 1", "failed"),
        ("page 1", "completed"),
        ("page 2", "completed"),
    ]
    counts = tables.all("SELECT runner_type, status, count(*) FROM jobs GROUP BY runner_type, status")
    assert [tuple(row.values()) for row in counts] == [("pgboss", "completed", 2)]
    assert tables.all("SELECT * FROM jobs WHERE external_id = 'unknown'") == []
    history = await JobService(runner.app.store).get_job_history(tenant_id=TENANT)
    assert [record.job_id for record in history] == [second.job_id, first.job_id]


async def test_s08_a_change_of_edition_keeps_history_and_metrics(
    factory: JobRunnerFactory, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows of both engines stand in the same tables, whichever edition reads them."""
    temporal = tables.one(
        "insert into jobs (tenant, type, user_id, status, runner_type, external_id, external_run_id, completed_at)"
        " values (%s, 'report', %s, 'completed', 'temporal', 'job-1.0', 'run-1', now()) returning job_id",
        TENANT,
        uuid4(),
    )["job_id"]
    runner = await factory.create_job_runner()

    async def report(job_id: str, data: dict[str, Any]) -> None: ...

    runner.register_handler({"name": "report", "handler": report})
    await runner.start()
    scheduled = await runner.schedule_job("report", {"tenantId": TENANT})
    await ended(runner, scheduled.job_id)
    for edition in ("community", "enterprise"):
        monkeypatch.setenv("EDITION", edition)
        async with JobApp(Settings.load(), runner="pgboss") as app:
            found = await app.find_jobs(TENANT, JobFilter(created_before=datetime.now(UTC)))
            assert {(job.job_id, job.runner_type) for job in found} == {
                (temporal, "temporal"),
                (scheduled.job_id, "pgboss"),
            }
            assert (await app.get_job(TENANT, temporal)).external_id == "job-1.0"
            by_runner = (await app.metrics(TENANT)).by_runner
            assert {name: counts[JobState.COMPLETED] for name, counts in by_runner.items()} == {
                "pgboss": 1,
                "temporal": 1,
            }
