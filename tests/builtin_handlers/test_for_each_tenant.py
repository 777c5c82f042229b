"""Work for every tenant: one job each whatever happens, failures that hold up nobody, and one report."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from pydantic import ValidationError

from builtin_handlers.context import AttemptContext
from builtin_handlers.killing import die, killed
from builtin_handlers.world import World
from jobcore import SYSTEM_TENANT, JobContext, JobData, NonRetryableError, job
from jobcore.app.facade import JobApp
from jobcore.errors import JobFailedError
from jobcore.models import JobFilter, Quota
from jobcore.states import JobState
from jobcore.testing.apps import quiet_settings
from jobcore_devkit.postgres import PostgresServer
from jobcore_handlers.cycles.handler import create_client_contract_line_cycles
from jobcore_handlers.cycles.payload import CreateCycles
from jobcore_handlers.retention.handlers import audit_retention
from jobcore_handlers.retention.payload import AuditRetention
from jobcore_handlers.tenancy import TenantJobs, fan_out
from jobcore_handlers.tenancy.handler import for_each_tenant
from jobcore_handlers.tenancy.payload import ForEachTenant
from jobcore_handlers.tenancy.tenant_jobs import SameJob
from support.fleet import eventually

WORKER_LOGIN = "handlers_worker"

OpenApp = Callable[..., AbstractAsyncContextManager[JobApp]]


class Greeting(JobData):
    text: str = "hello"


@job("greet")
async def greet(ctx: JobContext, data: Greeting) -> str:
    async with ctx.db.transaction() as connection:
        cursor = await connection.execute("select name from billing.tenants")
        names = [name for (name,) in await cursor.fetchall()]
    match names:
        case ["Broken"]:
            raise NonRetryableError("this tenant is broken")
        case [name]:
            return f"{data.text}, {name}"
        case _:
            raise AssertionError(f"a tenant's job sees {len(names)} tenants")


@job("linger")
async def linger(ctx: JobContext, data: JobData) -> None:
    async with ctx.db.transaction() as connection:
        cursor = await connection.execute("select name from billing.tenants")
        [(name,)] = await cursor.fetchall()
    if name != "Swift":
        await ctx.signal.wait()
        ctx.signal.raise_if_aborted()


def add_tenants(world: World, count: int, name: str = "Pinewater") -> list[UUID]:
    return [world.add("tenants", tenant=uuid4(), name=name)["tenant"] for _ in range(count)]


@pytest.fixture
async def app(open_app: OpenApp) -> AsyncIterator[JobApp]:
    async with open_app(handlers=[greet, linger]) as app:
        yield app


async def result_of_the_follower(app: JobApp) -> Any:
    """What the job returned that looks after what a fan-out leaves."""
    (follower,) = await app.find_jobs(SYSTEM_TENANT, JobFilter(names=("for-each-tenant.cancel",)))
    return await app.handle(SYSTEM_TENANT, follower.job_id).result(timeout=60)


async def greetings(app: JobApp) -> list[Any]:
    return list(await app.find_jobs(None, JobFilter(names=("greet",), limit=1000)))


async def test_every_tenant_gets_one_job_and_the_report_counts_them(app: JobApp, world: World) -> None:
    tenants = {world.tenant, *add_tenants(world, 4)}
    parent = await for_each_tenant.enqueue(
        app, ForEachTenant(tenant_id="system", handler="greet", data={"text": "good day"}, batch=2)
    )
    report = await parent.result(timeout=60)
    assert report == {"handler": "greet", "tenants": 5, "completed": 5, "failed": 0, "cancelled": 0, "unknown": 0,
                      "refused": 0, "failedTenants": [], "refusedTenants": []}  # fmt: skip
    made = await greetings(app)
    assert {record.tenant for record in made} == tenants
    assert len(made) == 5
    assert {record.result for record in made} == {"good day, Pinewater"}
    assert {record.metadata["forEachTenant"] for record in made} == {str(parent.job_id)}
    status = await parent.status()
    assert (status.status, status.attempt, status.progress) == (JobState.COMPLETED, 1, 100)
    assert await result_of_the_follower(app) == {"cancelled": 0}


async def test_the_failures_of_some_are_reported_and_hold_up_no_other(app: JobApp, world: World) -> None:
    broken = add_tenants(world, 2, name="Broken")
    parent = await for_each_tenant.enqueue(app, ForEachTenant(tenant_id="system", handler="greet"))
    report = await parent.result(timeout=60)
    assert (report["completed"], report["failed"]) == (1, 2)
    assert report["failedTenants"] == sorted(map(str, broken))
    assert (await parent.status()).status is JobState.COMPLETED


async def test_a_tenant_whose_quota_is_full_is_told_and_holds_up_no_other(app: JobApp, world: World) -> None:
    (full,) = add_tenants(world, 1)
    await app.set_quota(full, Quota(waiting=0))
    parent = await for_each_tenant.enqueue(app, ForEachTenant(tenant_id="system", handler="greet"))
    report = await parent.result(timeout=60)
    assert (report["tenants"], report["completed"], report["refusedTenants"]) == (2, 1, [str(full)])


async def test_cancelling_it_cancels_the_jobs_that_wait_or_run_and_no_other(app: JobApp, world: World) -> None:
    (swift,), (held,), runs = add_tenants(world, 1, "Swift"), add_tenants(world, 1), world.tenant
    await app.pause(tenant=held)
    parent = await for_each_tenant.enqueue(app, ForEachTenant(tenant_id="system", handler="linger"))

    async def stand(**states: JobState) -> bool:
        found = await app.find_jobs(None, JobFilter(names=("linger",)))
        return {record.tenant: record.status for record in found} == {
            swift: JobState.COMPLETED, held: states["held"], runs: states["runs"]
        }  # fmt: skip

    await eventually(lambda: stand(held=JobState.PENDING, runs=JobState.PROCESSING), "one runs and one waits")
    assert await parent.cancel("not today")
    await eventually(lambda: stand(held=JobState.CANCELLED, runs=JobState.CANCELLED), "both are cancelled")
    for record in await app.find_jobs(None, JobFilter(names=("linger",), states=(JobState.CANCELLED,))):
        assert record.error == {"reason": f"job {parent.job_id}, which gave each tenant a job, was cancelled",
                                "cancelled_by": None}  # fmt: skip
    assert await result_of_the_follower(app) == {"cancelled": 2}


@pytest.mark.usefixtures("world")
async def test_a_job_that_nobody_can_have_fails_at_once(app: JobApp) -> None:
    parent = await for_each_tenant.enqueue(
        app, ForEachTenant(tenant_id="system", handler="greet", data={"text": ["no", "text"]})
    )
    with pytest.raises(JobFailedError, match="'greet' cannot be enqueued for every tenant"):
        await parent.result(timeout=60)
    assert (await parent.status()).attempt == 1


async def test_cycles_are_made_for_every_tenant_by_one_job_of_the_system(app: JobApp, world: World) -> None:
    world.execute("delete from billing.client_billing_cycles")
    stranger, client = world.add_tenant(), uuid4()
    world.add("clients", tenant=stranger, client_id=client, name="Elsewhere")
    world.add_client(billing_cycle="fortnightly")
    parent = await create_client_contract_line_cycles.enqueue(app, CreateCycles(tenant_id="system"))
    report = await parent.result(timeout=60)
    assert (report["handler"], report["completed"]) == ("createClientContractLineCycles", 2)
    rows = world.rows("select client_id from billing.client_billing_cycles")
    assert {row["client_id"] for row in rows} == {world.client, client}


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        ({"tenantId": str(uuid4()), "handler": "greet"}, "only the system may enqueue for other tenants"),
        ({"tenantId": "system", "handler": "for-each-tenant"}, "no tenant can have a job of it"),
        ({"tenantId": "system", "handler": "greet", "data": {"tenantId": str(uuid4())}}, "its own tenantId"),
        ({"tenantId": "system", "handler": "greet", "batch": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_payload(payload: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        ForEachTenant.model_validate(payload)


class KilledAfterABatch(TenantJobs):
    async def enqueue(self, job: SameJob, tenants: Sequence[UUID]) -> Sequence[UUID]:
        await super().enqueue(job, tenants)
        die()
        raise AssertionError("not reached")


class WithoutAStore(AttemptContext):
    async def step(self, name: str, fn: Any, *args: Any, **kwargs: Any) -> Any:
        return await fn(*args, **kwargs)


def enqueue_and_be_killed(dsn: str, parent: UUID) -> None:
    async def attempt() -> None:
        async with JobApp(quiet_settings(runner="pgboss", database={"url": dsn}), handlers=[greet]) as app:
            context = WithoutAStore(dsn, UUID(int=0), job_id=parent)
            context.services.add(KilledAfterABatch(app), TenantJobs)
            await fan_out(context, "greet", {}, batch=3)

    asyncio.run(attempt())


async def test_a_kill_between_the_batches_gives_no_tenant_a_second_job(
    world: World, open_app: OpenApp, billing_dsn: str
) -> None:
    add_tenants(world, 6)
    fan_out = ForEachTenant(tenant_id="system", handler="greet", batch=3)
    async with JobApp(quiet_settings(runner="pgboss", database={"url": billing_dsn})) as app:
        parent = (await for_each_tenant.enqueue(app, fan_out)).job_id
    await killed(enqueue_and_be_killed, billing_dsn, parent)
    with psycopg.connect(billing_dsn) as connection:
        assert connection.execute("select count(*) from jobs where type = 'greet'").fetchone() == (3,)

    async with open_app(handlers=[greet]) as app:
        report = await app.handle(SYSTEM_TENANT, parent).result(timeout=60)
        assert (report["tenants"], report["completed"]) == (7, 7)
        assert len(await greetings(app)) == 7


async def test_many_tenants_are_served_by_one_job(app: JobApp, world: World) -> None:
    many = 1000 if app.default_runner == "pgboss" else 50  # a development server of Temporal takes a minute for 1,000
    world.execute("insert into billing.tenants (tenant, name) select gen_random_uuid(), 'Many' "
                  "from generate_series(2, %s)", many)  # fmt: skip
    world.execute("update billing.tenants set name = 'Broken' where tenant in "
                  "(select tenant from billing.tenants where name = 'Many' limit 3)")  # fmt: skip
    parent = await for_each_tenant.enqueue(app, ForEachTenant(tenant_id="system", handler="greet"))
    report = await parent.result(timeout=240)
    assert (report["tenants"], report["completed"], report["failed"]) == (many, many - 3, 3)
    (counted,) = world.rows("select count(*), count(distinct tenant) as tenants from jobs where type = 'greet'")
    assert counted == {"count": many, "tenants": many}


@pytest.fixture
def worker_dsn(postgres_server: PostgresServer, billing_dsn: str) -> Iterator[str]:
    """The address of the same database for a login as production has it: a member of the two roles, no superuser."""
    with psycopg.connect(billing_dsn, autocommit=True) as connection:
        connection.execute(f"create role {WORKER_LOGIN} login in role jobcore_worker, jobcore_tenant".encode())
        yield postgres_server.dsn(connection.info.dbname, user=WORKER_LOGIN)
        connection.execute(f"drop role {WORKER_LOGIN}".encode())


async def test_a_worker_that_is_no_superuser_serves_every_tenant(worker_dsn: str, world: World) -> None:
    add_tenants(world, 3)
    world.execute(
        "insert into billing.audit_logs (tenant, user_id, operation, table_name, occurred_at) "
        "select tenant, %s, 'x', 'y', now() - interval '4 years' from billing.tenants",
        world.user,
    )
    settings = quiet_settings(runner="pgboss", database={"url": worker_dsn})
    async with JobApp(settings, handlers=[greet]) as app:
        worker = app.worker()
        await worker.start()
        parent = await for_each_tenant.enqueue(app, ForEachTenant(tenant_id="system", handler="greet"))
        retention = await audit_retention.enqueue(app, AuditRetention(tenant_id="system"))
        assert (await parent.result(timeout=60))["completed"] == 4
        assert await retention.result(timeout=60) == {"archived": 4, "purged": 0}
        await worker.stop()
