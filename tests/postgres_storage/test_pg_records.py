"""Jobs and their details (S05, S06), the four recipes (S07), and what is refused before it is sent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from jobcore.errors import (
    ForeignConnectionError,
    IllegalMoveError,
    InputError,
    JobNotFoundError,
    NaiveDatetimeError,
    PayloadError,
    PayloadLimitError,
)
from jobcore.ids import uuid7
from jobcore.models import JobFilter
from jobcore.states import LEGAL_MOVES, JobState, is_legal
from jobcore_devkit.databases import fresh_database
from jobcore_devkit.postgres import PostgresServer
from jobcore_postgres.service import JobService
from jobcore_postgres.store import PostgresStore
from postgres_storage.builders import OTHER_TENANT, TENANT, call, new_job, running, settle


async def test_a_recorded_job_is_pending_and_reads_back_whole(store: PostgresStore) -> None:
    run_at = datetime(2030, 5, 1, 12, tzinfo=UTC)
    job = new_job(
        payload='{"tenantId": "x", "ünï": [1, 2.5, null, {"a": "\\u2028\\\\u0000"}]}'.encode(),
        priority=7,
        run_at=run_at,
        max_attempts=5,
        user_id=uuid4(),
        metadata={"origin": "tést"},
        dedupe_key="k",
        singleton_key="s",
        parent_job_id=uuid7(),
        trace_context={"traceparent": "00-1-2-01"},
    )
    made = await store.create_job(job)
    record = await store.get_job(TENANT, job.job_id)
    assert (made.job_id, made.deduplicated) == (job.job_id, False)
    assert record.status is JobState.PENDING
    assert record.payload == {"tenantId": "x", "ünï": [1, 2.5, None, {"a": "\u2028\\u0000"}]}
    assert (record.priority, record.run_at, record.max_attempts) == (7, run_at, 5)
    assert (record.user_id, dict(record.metadata)) == (job.user_id, {"origin": "tést"})
    assert (record.dedupe_key, record.singleton_key, record.parent_job_id) == ("k", "s", job.parent_job_id)
    assert (record.attempt, record.rescues, record.epoch, record.queue) == (0, 0, 0, "send-mail")


async def test_a_delay_counts_from_the_databases_clock(store: PostgresStore, admin: psycopg.Connection) -> None:
    job = new_job(delay=timedelta(seconds=90))
    await store.create_job(job)
    row = admin.execute("select run_at - created_at from jobs where job_id = %s", (job.job_id,)).fetchone()
    assert row == (timedelta(seconds=90),)


async def test_the_same_job_twice_is_one_job(store: PostgresStore) -> None:
    job = new_job()
    first, second = await store.create_job(job), await store.create_job(job)
    assert (first.job_id, second.job_id) == (job.job_id, job.job_id)
    assert (first.deduplicated, second.deduplicated) == (False, True)
    assert (await store.metrics(TENANT)).by_state[JobState.PENDING] == 1


async def test_a_dedupe_key_is_free_again_when_its_job_has_ended(store: PostgresStore) -> None:
    lease = await running(store, dedupe_key="invoice-7")
    refused = await store.create_job(new_job(dedupe_key="invoice-7"))
    assert (refused.job_id, refused.deduplicated) == (lease.job_id, True)
    assert not (await store.create_job(new_job(dedupe_key="invoice-7", tenant=OTHER_TENANT))).deduplicated
    assert not (await store.create_job(new_job(dedupe_key="invoice-7", name="other"))).deduplicated

    await settle(store, lease, "completed")
    assert not (await store.create_job(new_job(dedupe_key="invoice-7"))).deduplicated
    assert (await store.get_job(TENANT, lease.job_id)).dedupe_key == "invoice-7"


async def test_a_job_of_a_callers_transaction_commits_with_it(store: PostgresStore) -> None:
    kept, dropped = new_job(), new_job()
    async with store.database.transaction() as connection:
        await store.create_job(kept, connection=connection)
    async with store.database.connection() as connection, connection.transaction(force_rollback=True):
        await store.create_job(dropped, connection=connection)
    assert (await store.get_job(TENANT, kept.job_id)).status is JobState.PENDING
    with pytest.raises(JobNotFoundError, match=str(dropped.job_id)):
        await store.get_job(TENANT, dropped.job_id)


async def test_a_connection_to_another_database_is_refused(
    store: PostgresStore, postgres_server: PostgresServer
) -> None:
    with fresh_database(postgres_server) as other:
        async with await psycopg.AsyncConnection.connect(other) as foreign:
            with pytest.raises(ForeignConnectionError, match="another database"):
                await store.create_job(new_job(), connection=foreign)


async def test_a_connection_of_another_driver_is_refused_with_what_is_taken(store: PostgresStore) -> None:
    with pytest.raises(InputError, match=r"takes a psycopg\.AsyncConnection"):
        await store.create_job(new_job(), connection=object())


async def test_a_handlers_transaction_records_jobs_of_its_tenant_only(store: PostgresStore) -> None:
    mine, theirs = new_job(), new_job(tenant=OTHER_TENANT)
    database = store.tenant_database(TENANT)
    assert database is not None
    async with database.transaction() as connection:
        await store.create_job(mine, connection=connection)
    assert (await store.get_job(TENANT, mine.job_id)).tenant == TENANT
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="may not write for another"):
        async with database.transaction() as connection:
            await store.create_job(theirs, connection=connection)


@pytest.mark.parametrize("payload", [b'{"a": "\\u0000"}', b'{"a": "\\\\\\u0000"}', b'{"a\\u0000": 1}'])
async def test_nul_characters_are_refused_before_sql(store: PostgresStore, payload: bytes) -> None:
    with pytest.raises(PayloadLimitError, match="NUL"):
        await store.create_job(new_job(payload=payload))


async def test_a_text_about_nul_is_no_nul(store: PostgresStore) -> None:
    job = new_job(payload=b'{"a": "\\\\u0000"}')
    await store.create_job(job)
    assert (await store.get_job(TENANT, job.job_id)).payload == {"a": "\\u0000"}


async def test_oversize_payloads_metadata_and_keys_are_refused_before_sql(store: PostgresStore) -> None:
    with pytest.raises(PayloadLimitError, match="at most 1,048,576"):
        await store.create_job(new_job(payload=b'{"a": "' + b"x" * 2**20 + b'"}'))
    with pytest.raises(PayloadLimitError, match="1,048,576"):
        await store.create_job(new_job(metadata={"a": "x" * 2**20}))
    with pytest.raises(InputError, match="dedupe key holds a NUL"):
        await store.create_job(new_job(dedupe_key="a\0b"))


async def test_naive_times_are_refused(store: PostgresStore) -> None:
    with pytest.raises(NaiveDatetimeError, match="run_at has no time zone"):
        await store.create_job(new_job(run_at=datetime(2030, 1, 1)))


async def test_what_only_postgresql_finds_wrong_is_a_payload_error(store: PostgresStore) -> None:
    with pytest.raises(PayloadError, match="PostgreSQL cannot store"):
        await store.create_job(new_job(payload=b'{"a": "\\ud800"}'))


async def test_sql_allows_the_legal_moves_and_no_other(store: PostgresStore) -> None:
    allowed = {
        (source, target)
        for source in JobState
        for target in JobState
        if (await call(store, "job_may_move", source.value, target.value))[0]["job_may_move"]
    }
    assert allowed == {(source, target) for source in JobState for target in JobState if is_legal(source, target)}


async def test_a_status_moves_only_where_the_table_of_moves_allows(
    store: PostgresStore, admin: psycopg.Connection
) -> None:
    for source in JobState:
        for target in JobState:
            job = new_job(metadata={"a": 1})
            await store.create_job(job)
            admin.execute("update jobs set status = %s where job_id = %s", (source.value, job.job_id))
            if target is source or target in LEGAL_MOVES[source]:
                await store.update_job_status(TENANT, job.job_id, target, metadata={"b": 2})
                record = await store.get_job(TENANT, job.job_id)
                assert (record.status, dict(record.metadata)) == (target, {"a": 1, "b": 2})
                assert (record.completed_at is not None) is target.is_terminal
            else:
                with pytest.raises(IllegalMoveError, match=f"is {source}; it cannot become {target}"):
                    await store.update_job_status(TENANT, job.job_id, target)


async def test_a_failure_keeps_its_error_and_an_operators_retry_raises_the_epoch(store: PostgresStore) -> None:
    job = new_job()
    await store.create_job(job)
    await store.update_job_status(TENANT, job.job_id, JobState.FAILED, error="no\0 such account")
    failed = await store.get_job(TENANT, job.job_id)
    assert failed.error == {"message": "no\ufffd such account"}
    assert failed.as_status.error == "no\ufffd such account"
    await store.update_job_status(TENANT, job.job_id, JobState.QUEUED)
    again = await store.get_job(TENANT, job.job_id)
    assert (again.epoch, again.error, again.completed_at) == (1, None, None)


async def test_unknown_jobs_are_named_in_the_error(store: PostgresStore) -> None:
    unknown = uuid7()
    for attempt in (
        store.get_job(TENANT, unknown),
        store.get_details(TENANT, unknown),
        store.update_job_status(TENANT, unknown, JobState.FAILED),
        store.create_job_detail(TENANT, unknown, "step", "done"),
    ):
        with pytest.raises(JobNotFoundError, match=f"Tenant {TENANT} has no job {unknown}"):
            await attempt


async def test_a_detail_is_written_once_a_step_name_and_then_updated(store: PostgresStore) -> None:
    job = new_job()
    await store.create_job(job)
    first = await store.create_job_detail(TENANT, job.job_id, "page 1", "started", metadata={"a": 1})
    again = await store.create_job_detail(TENANT, job.job_id, "page 1", "done", result={"rows": 3}, metadata={"b": 2})
    other = await store.create_job_detail(TENANT, job.job_id, "page 2", "started")
    details = await store.get_details(TENANT, job.job_id)
    assert first == again != other
    assert [(d.step_name, d.status, d.result, d.metadata) for d in details] == [
        ("page 1", "done", {"rows": 3}, {"a": 1, "b": 2}),
        ("page 2", "started", None, None),
    ]


async def test_listings_are_filtered_and_paged_newest_first(store: PostgresStore) -> None:
    jobs = [new_job(name=name) for name in ("a", "b", "a", "c", "a")]
    for job in jobs:
        await store.create_job(job)
    child = new_job(parent_job_id=jobs[0].job_id, tenant=OTHER_TENANT, runner_type="temporal")
    await store.create_job(child)
    await store.update_job_status(TENANT, jobs[1].job_id, JobState.FAILED)

    async def found(tenant: object = TENANT, **where: object) -> list[object]:
        return [job.job_id for job in await store.find_jobs(tenant, JobFilter(**where))]  # pyright: ignore[reportArgumentType]

    newest_first = [job.job_id for job in reversed(jobs)]
    assert await found() == newest_first
    assert await found(limit=2) == newest_first[:2]
    assert await found(limit=2, before=newest_first[1]) == newest_first[2:4]
    assert await found(names=("a",)) == [newest_first[0], newest_first[2], newest_first[4]]
    assert await found(states=(JobState.FAILED,)) == [jobs[1].job_id]
    assert await found(tenant=None) == [child.job_id, *newest_first]
    assert await found(tenant=None, before=child.job_id) == newest_first
    assert await found(tenant=OTHER_TENANT, parent_job_id=jobs[0].job_id) == [child.job_id]
    assert await found(tenant=None, runner_types=("temporal",)) == [child.job_id]
    middle = (await store.get_job(TENANT, jobs[2].job_id)).created_at
    assert await found(created_after=middle) == newest_first[:3]
    assert await found(created_before=middle) == newest_first[3:]
    assert await found(external_id="none such") == []
    with pytest.raises(InputError, match="limit must be from 1 to 1000"):
        await found(limit=1001)


async def test_metrics_count_by_state_and_by_runner(store: PostgresStore) -> None:
    await running(store)
    await store.create_job(new_job(runner_type="temporal"))
    await store.create_job(new_job(tenant=OTHER_TENANT))
    everywhere, here = await store.metrics(), await store.metrics(TENANT)
    assert (everywhere.by_state[JobState.PENDING], here.by_state[JobState.PENDING]) == (2, 1)
    assert here.by_state[JobState.PROCESSING] == 1
    assert here.by_runner["temporal"][JobState.PENDING] == 1
    assert here.by_runner["pgboss"][JobState.PROCESSING] == 1
    assert set(here.by_state) == set(JobState)


async def test_the_recipe_by_tenant(store: PostgresStore, admin: psycopg.Connection) -> None:
    jobs = [new_job(), new_job()]
    for job in jobs:
        await store.create_job(job)
    rows = admin.execute(
        "SELECT job_id, type, status, created_at FROM jobs WHERE tenant = %s ORDER BY created_at DESC", (TENANT,)
    ).fetchall()
    assert [row[0] for row in rows] == [jobs[1].job_id, jobs[0].job_id]


async def test_the_recipe_of_a_jobs_details(store: PostgresStore, admin: psycopg.Connection) -> None:
    lease = await running(store)
    await store.create_job_detail(TENANT, lease.job_id, "read", "done")
    await settle(store, lease, "failed", error={"message": "boom"})
    rows = admin.execute(
        "SELECT step_name, status, result, retry_count FROM job_details WHERE job_id = %s ORDER BY processed_at",
        (lease.job_id,),
    ).fetchall()
    assert rows == [("read", "done", None, 0), ("attempt 1", "failed", {"message": "boom"}, 0)]


async def test_the_recipe_by_runner_type(store: PostgresStore, admin: psycopg.Connection) -> None:
    await store.create_job(new_job())
    temporal = new_job(runner_type="temporal")
    await store.create_job(temporal)
    rows = admin.execute("SELECT job_id FROM jobs WHERE runner_type = 'temporal'").fetchall()
    assert rows == [(temporal.job_id,)]


async def test_the_recipe_by_external_id(store: PostgresStore, admin: psycopg.Connection) -> None:
    job = new_job()
    await store.create_job(job)
    admin.execute("UPDATE jobs SET external_id = 'wf-1', external_run_id = 'run-1' WHERE job_id = %s", (job.job_id,))
    rows = admin.execute("SELECT job_id, external_run_id FROM jobs WHERE external_id = 'wf-1'").fetchall()
    assert rows == [(job.job_id, "run-1")]
    assert (await store.find_jobs(TENANT, JobFilter(external_id="wf-1")))[0].external_run_id == "run-1"


async def test_the_job_service_has_the_founding_documents_calls(store: PostgresStore) -> None:
    service = JobService(store)
    job_id = await service.create_job(
        "invoice_zip", tenant_id=str(TENANT), data={"month": 3}, user_id=str(uuid4()), metadata={"by": "test"}
    )
    await service.update_job_status(job_id, "processing", tenant_id=TENANT)
    await service.create_job_detail(job_id, "page 1", "done", tenant_id=TENANT, result=[1])
    await service.update_job_status(job_id, JobState.COMPLETED, tenant_id=TENANT, metadata={"pages": 1})
    job = await service.get_job(job_id, tenant_id=TENANT)
    assert (job.status, job.progress, job.payload["month"]) == (JobState.COMPLETED, 100, 3)
    assert dict(job.metadata) == {"by": "test", "pages": 1}
    assert [d.step_name for d in await service.get_job_details(job_id, tenant_id=TENANT)] == ["page 1"]
    assert [j.job_id for j in await service.get_job_history(tenant_id=TENANT)] == [job_id]
    assert [j.job_id for j in await service.get_job_history(tenant_id=None)] == [job_id]
    assert (await service.get_job_metrics(tenant_id=TENANT)).by_state[JobState.COMPLETED] == 1
    system = await service.create_job("cleanup", tenant_id="system")
    assert (await service.get_job(system, tenant_id="system")).payload == {"tenantId": "system"}
