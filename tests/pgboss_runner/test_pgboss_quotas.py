"""Quotas on every way into the queue: what is refused is refused whole, and touches nobody else."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors as pg
from psycopg.rows import dict_row

from jobcore import BlockingJobApp, JobContext, JobData, job
from jobcore.errors import QuotaExceededError
from jobcore.models import Admission, Enqueued, Gate, NewJob, OnConflict, Quota, Schedule
from jobcore.settings import Settings
from jobcore_postgres import counter
from pgboss_runner.bridge_callers import ASYNC_CALLERS, AsyncCaller
from pgboss_runner.bridge_callers_blocking import BLOCKING_CALLERS, BlockingCaller
from pgboss_runner.harness import TENANT, App, TrivialExecutor, new_job, noop
from postgres_storage.builders import schedule

OTHER = UUID("22222222-2222-7222-8222-222222222222")
ENQUEUE = """select jobcore.enqueue('noop', '{}', %s)"""
OF_TENANT = json.dumps({"tenant": str(TENANT)})

Connection = psycopg.AsyncConnection[dict[str, Any]]


@pytest.fixture
async def clients(app: App) -> AsyncGenerator[Sequence[Connection]]:
    """Eight connections of applications."""
    opened = [await psycopg.AsyncConnection.connect(app.dsn, autocommit=True, row_factory=dict_row) for _ in range(8)]
    yield opened
    for connection in opened:
        await connection.close()


async def waiting(app: App, tenant: UUID = TENANT) -> int:
    [row] = await app.rows(
        "select count(*) as n from jobs where tenant = %s and status in ('pending', 'queued')", tenant
    )
    return row["n"]


async def samples(app: App) -> list[tuple[UUID, int]]:
    rows = await app.rows("select tenant, waiting from jobcore.quota_samples order by sampled_at")
    return [(row["tenant"], row["waiting"]) for row in rows]


async def refused(app: App, *, count: int = 1, **options: Any) -> QuotaExceededError:
    with pytest.raises(QuotaExceededError) as refusal:
        await app.enqueue(count=count, **options)
    return refusal.value


async def test_of_calls_that_share_a_statement_only_those_beyond_a_quota_are_refused(app: App) -> None:
    await app.enqueue(count=3)
    await app.store.set_quota(TENANT, Quota(waiting=5))
    calls = [app.enqueue(tenant=tenant) for _ in range(20) for tenant in (TENANT, OTHER)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(answer) for answer in answers[1::2]] == [list] * 20
    refusals = [answer for answer in answers[::2] if isinstance(answer, QuotaExceededError)]
    assert len(refusals) == 18
    assert (await waiting(app), await waiting(app, OTHER)) == (5, 20)


@pytest.mark.parametrize(
    "options",
    [
        {"count": 1},
        {"count": 1000},
        {"delay": timedelta(hours=1)},
        {"dedupe_key": "a"},
        {"dedupe_key": "a", "on_conflict": OnConflict.SUPERSEDE},
        {"admission": Admission(gates=(Gate(name="one", limit=1),))},
    ],
    ids=" ".join,
)
async def test_each_way_in_is_guarded_and_a_refusal_leaves_nothing(app: App, options: dict[str, Any]) -> None:
    await app.enqueue()
    await app.store.set_quota(TENANT, Quota(waiting=1))
    refusal = await refused(app, **options)
    assert (refusal.tenant, refusal.quota, refusal.most, refusal.has) == (TENANT, "waiting", 1, 1)
    assert await waiting(app) == 1
    [left] = await app.rows(
        "select (select count(*) from pgboss.job) q, (select count(*) from jobcore.admissions) a, "
        "(select count(*) from jobcore.quota_samples) s"
    )
    assert left == {"q": 1, "a": 0, "s": 0}


async def test_a_large_call_within_the_quota_is_taken_and_the_next_one_is_not(app: App) -> None:
    await app.store.set_quota(TENANT, Quota(waiting=2000, enqueues_per_second=100_000))
    await app.enqueue(count=1900)
    refusal = await refused(app, count=1000)
    assert (refusal.has, refusal.more) == (1900, 1000)
    await app.enqueue(count=100)
    assert await waiting(app) == 2000


async def test_a_large_call_that_brings_more_than_a_second_may_is_not_told_to_wait(app: App) -> None:
    await app.enqueue(tenant=OTHER)
    await app.store.set_quota(TENANT, Quota(enqueues_per_second=200))
    refusal = await refused(app, count=400)
    assert (refusal.has, refusal.more, refusal.retry_after) == (0, 400, None)
    assert await waiting(app) == 0
    await app.enqueue(count=200)


async def test_a_job_that_replaces_one_takes_its_place(app: App) -> None:
    await app.store.set_quota(TENANT, Quota(waiting=1))
    await app.enqueue(dedupe_key="a")
    await app.rows("update jobcore.quota_samples set took_ms = 60000 returning tenant")  # so that it has to do for long
    for rule in (OnConflict.REPLACE, OnConflict.SUPERSEDE, OnConflict.REPLACE):
        [last] = await app.enqueue(dedupe_key="a", on_conflict=rule)
        assert (await app.job(last))["status"] == "queued"
    assert await waiting(app) == 1
    assert (await refused(app)).has == 1


async def test_jobs_that_wait_for_their_admission_count(app: App) -> None:
    gated = {"admission": Admission(gates=(Gate(name="one", limit=1),))}
    await app.store.set_quota(TENANT, Quota(waiting=3))
    await app.enqueue(count=2, **gated)
    await app.enqueue()
    assert (await refused(app, **gated)).has == 3
    assert (await refused(app)).has == 3


async def test_what_an_operator_lets_run_again_is_not_refused(app: App) -> None:
    await app.store.set_quota(TENANT, Quota(waiting=1, enqueues_per_second=1))
    [first] = await app.enqueue()
    assert await app.runner.cancel(TENANT, first)
    await app.store.set_quota(TENANT, Quota(waiting=0, enqueues_per_second=0))
    assert await app.runner.retry(TENANT, first)
    assert (await app.job(first))["status"] == "queued"


async def test_what_node_sent_is_run_whatever_the_quota(app: App) -> None:
    await app.enqueue(tenant=OTHER)
    await app.store.set_quota(TENANT, Quota(waiting=0, enqueues_per_second=0))
    [sent] = await app.rows("insert into pgboss.job (name, group_id) values ('noop', %s) returning id", str(TENANT))
    async with app.working(TrivialExecutor({"noop": noop})):
        await app.wait_for_status("completed", sent["id"])


async def test_clients_together_exceed_the_quota_by_no_more_than_they_have_under_way(
    app: App, clients: Sequence[Connection]
) -> None:
    await app.enqueue(tenant=OTHER)
    await app.store.set_quota(TENANT, Quota(waiting=50))
    most = 50 + len(clients) - 1
    seen: list[int] = []
    refusals: Counter[Connection] = Counter()

    taken = 0

    async def knock(client: Connection, enough: Callable[[], bool]) -> None:
        nonlocal taken
        while not enough():
            try:
                await client.execute(ENQUEUE, [OF_TENANT])
            except pg.ProgramLimitExceeded:
                refusals[client] += 1
            else:
                taken += 1

    async def watch() -> None:
        while True:
            [row] = await app.rows(
                "select count(*) as n from pgboss.job where group_id = %s and state < 'active'", str(TENANT)
            )
            seen.append(row["n"])

    watching = asyncio.create_task(watch())
    async with asyncio.timeout(60):
        await asyncio.gather(*(knock(client, lambda: taken >= 50 and refusals.total() >= 100) for client in clients))
        assert taken <= most
        async with app.working(TrivialExecutor({"noop": noop})):
            await asyncio.gather(*(knock(client, lambda: taken >= 1000) for client in clients))
    watching.cancel()
    assert max(seen) <= most


async def test_a_transaction_that_stays_open_holds_nobody_up(app: App, clients: Sequence[Connection]) -> None:
    await app.enqueue(tenant=OTHER)
    await app.store.set_quota(TENANT, Quota(waiting=3, enqueues_per_second=100, schedules=1))
    one, other, *_ = clients
    await other.execute("set lock_timeout = '200ms'")
    async with one.transaction():
        await one.execute(ENQUEUE, [OF_TENANT])
        await other.execute(ENQUEUE, [OF_TENANT])
        await other.execute("select jobcore.quota_keep_up()")
        await other.execute("select jobcore.quota_set(%s, 2, null, null)", [TENANT])
    with pytest.raises(pg.ProgramLimitExceeded, match="has 2 jobs waiting; its quota is 2"):
        await other.execute(ENQUEUE, [OF_TENANT])


async def test_a_transaction_that_reads_as_of_its_beginning_is_guarded_too(
    app: App, clients: Sequence[Connection]
) -> None:
    await app.enqueue(tenant=OTHER)
    await app.store.set_quota(TENANT, Quota(waiting=3))
    one, other, *_ = clients
    async with one.transaction():
        await one.execute("set transaction isolation level repeatable read")
        await one.execute("select 1")
        await other.execute(ENQUEUE, [OF_TENANT])
        await one.execute(ENQUEUE, [OF_TENANT])
        await one.execute(ENQUEUE, [OF_TENANT])
    with pytest.raises(pg.ProgramLimitExceeded):
        await other.execute(ENQUEUE, [OF_TENANT])
    assert await waiting(app) == 3


async def test_many_jobs_of_one_statement_count_each_once(app: App, clients: Sequence[Connection]) -> None:
    await app.store.set_quota(TENANT, Quota(waiting=10, enqueues_per_second=10))
    many = "select jobcore.enqueue('noop', '{}', %s) from generate_series(1, %s)"
    with pytest.raises(pg.ProgramLimitExceeded):
        await clients[0].execute(many, [OF_TENANT, 11])
    await clients[0].execute(many, [OF_TENANT, 10])
    assert await waiting(app) == 10


async def test_a_tenants_role_is_held_to_its_quota_and_reads_no_others(app: App, clients: Sequence[Connection]) -> None:
    await app.store.set_quota(TENANT, Quota(waiting=1))
    await app.store.set_quota(OTHER, Quota(waiting=1))
    client = clients[0]
    async with client.transaction():
        await client.execute("set local role jobcore_tenant")
        await client.execute("select set_config('jobcore.tenant', %s, true)", [str(TENANT)])
        await client.execute(ENQUEUE, [OF_TENANT])
        with pytest.raises(pg.ProgramLimitExceeded) as refusal:
            async with client.transaction():
                await client.execute(ENQUEUE, [OF_TENANT])
        assert refusal.value.diag.message_hint == (
            "Try again later, or let an operator raise the quota: jobcore quotas set."
        )
        rows = await (await client.execute("select tenant from jobcore.quotas")).fetchall()
        assert [row["tenant"] for row in rows] == [TENANT]
        with pytest.raises(pg.InsufficientPrivilege):
            async with client.transaction():
                await client.execute("select jobcore.quota_set(%s, null, null, null)", [TENANT])


@pytest.mark.parametrize("library", ASYNC_CALLERS, ids=lambda library: library.__name__)
async def test_a_refusal_in_a_callers_transaction_is_told_alike(app: App, library: type[AsyncCaller]) -> None:
    await app.enqueue()
    await app.store.set_quota(TENANT, Quota(waiting=1))
    async with library.open(app.dsn) as caller, caller.transaction():
        with pytest.raises(QuotaExceededError) as refusal:
            async with caller.savepoint():
                await app.enqueue(connection=caller.handed, count=2)
        await app.enqueue(connection=caller.handed, tenant=OTHER)
    assert (refusal.value.tenant, refusal.value.has, refusal.value.more) == (TENANT, 1, 2)
    assert (await waiting(app), await waiting(app, OTHER)) == (1, 1)


@job("pay")
def pay(ctx: JobContext, data: JobData) -> None: ...


@pytest.mark.parametrize("library", BLOCKING_CALLERS, ids=lambda library: library.__name__)
def test_a_refusal_on_a_blocking_connection_is_told_alike(database_dsn: str, library: type[BlockingCaller]) -> None:
    with BlockingJobApp(Settings.load(env={"DATABASE_URL": database_dsn}), handlers=[pay]) as app:
        app.set_quota(TENANT, Quota(waiting=0))
        with library.open(database_dsn) as caller, caller.transaction():
            with pytest.raises(QuotaExceededError) as refusal, caller.savepoint():
                app.enqueue(pay, JobData(), tenant=TENANT, connection=caller.handed)
            app.enqueue(pay, JobData(), tenant=OTHER, connection=caller.handed)
        assert (refusal.value.tenant, refusal.value.has, refusal.value.most) == (TENANT, 0, 0)
        assert [one.tenant for one in app.find_jobs()] == [OTHER]


async def test_a_worker_counts_ahead_for_tenants_that_are_near_their_quotas(app: App) -> None:
    role = counter.Counter(app.store.database)
    assert await role.turn() == counter.WITHOUT_QUOTAS
    await app.store.set_quota(TENANT, Quota(waiting=5))
    await app.store.set_quota(OTHER, Quota(waiting=1000))
    for tenant in (TENANT, OTHER):
        await app.enqueue(count=4, tenant=tenant)
    for past in (
        "update jobs set created_at = created_at - interval '1 hour' returning tenant",
        "update jobcore.quota_samples set sampled_at = sampled_at - interval '1 hour' returning tenant",
    ):
        await app.rows(past)
    assert await samples(app) == [(TENANT, 0), (OTHER, 0)]
    assert 5 <= await role.turn() < counter.WITHOUT_QUOTAS
    assert await samples(app) == [(OTHER, 0), (TENANT, 4)]
    assert (await refused(app, count=2)).has == 4


BACK = (
    "update cron_jobs set (next_fire, anchor) = (next_fire - interval '1 minute', anchor - interval '1 minute') "
    "returning job_id"
)
"""Lets a minute pass for schedules."""


async def put_due(app: App, tenant: UUID, key: str) -> None:
    every_minute = replace(schedule(), pattern=None, interval=timedelta(minutes=1))
    await app.store.put_schedule(replace(every_minute, tenant=tenant, key=key, schedule_id=uuid4(), handler="noop"))


def plan_fire(due: Schedule, fire_time: datetime) -> NewJob:
    return new_job("noop", tenant=due.tenant, schedule_id=due.schedule_id, fire_time=fire_time)


async def test_many_schedules_of_a_full_tenant_are_missed_after_a_few_looks(app: App) -> None:
    for number in range(64):
        await put_due(app, TENANT, str(number))
    await app.store.set_quota(TENANT, Quota(waiting=2))
    await app.rows(BACK)
    calls: list[int] = []

    async def submit(jobs: Sequence[NewJob], connection: Any) -> Sequence[Enqueued]:
        calls.append(len(jobs))
        return await app.runner.submit(jobs, connection=connection)

    assert await app.store.fire_due(plan_fire, submit) == 2
    assert sum(calls) < 64 * 2 + 8
    assert len(calls) < 16
    rows = await app.rows("select count(*) filter (where next_fire > now()) as go_on from cron_jobs")
    assert rows == [{"go_on": 64}]


async def test_fires_of_one_transaction_are_missed_by_those_over_their_quota_only(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    for tenant in (TENANT, OTHER):
        for key in ("a", "b", "c"):
            await put_due(app, tenant, key)
    await app.store.set_quota(TENANT, Quota(waiting=2, enqueues_per_second=0))
    await app.rows(BACK)

    async def submit(jobs: Sequence[NewJob], connection: Any) -> Sequence[Enqueued]:
        return await app.runner.submit(jobs, connection=connection)

    assert await app.store.fire_due(plan_fire, submit) == 5
    assert (await waiting(app), await waiting(app, OTHER)) == (2, 3)
    rows = await app.rows("select tenant, last_fire is null as missed, next_fire > now() as goes_on from cron_jobs")
    assert [row["tenant"] for row in rows if row["missed"]] == [TENANT]
    assert all(row["goes_on"] for row in rows)
    [told] = [record for record in caplog.records if "made no job" in record.message]
    assert f"of tenant {TENANT} made no job for 1 of its times" in told.message
