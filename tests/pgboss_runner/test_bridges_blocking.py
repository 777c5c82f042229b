"""The caller's own transaction, with each blocking library: its object is used in its own thread."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import TupleRow

from jobcore import BlockingJobApp, JobContext, JobData, RetryPolicy, job
from jobcore.errors import ForeignConnectionError, JobCancelledError, JobFailedError
from jobcore.execution.completion import AlreadyCompletedError
from jobcore.settings import Settings
from pgboss_runner.bridge_callers_blocking import BLOCKING_CALLERS, BlockingCaller, Django
from pgboss_runner.harness import TENANT

OTHER = UUID("22222222-2222-7222-8222-222222222222")

pytestmark = pytest.mark.parametrize("driver", BLOCKING_CALLERS, ids=lambda driver: driver.__name__)


class Order(JobData):
    number: int = 1
    note: str = "% %s %(a)s :a1 $1 \\ ' \" ::jsonb ü 🙂"


@job("bill")
async def bill(ctx: JobContext, data: Order) -> None: ...


class Payment(JobData):
    dsn: str
    driver: str
    fails: bool = False


@job("pay", retry=RetryPolicy(max_attempts=1))
def pay(ctx: JobContext, data: Payment) -> str:
    """Write an order and enqueue its bill, in a transaction of its own in this handler's thread."""
    [driver] = [one for one in BLOCKING_CALLERS if one.__name__ == data.driver]
    with driver.open(data.dsn) as caller, caller.transaction():
        caller.run("insert into orders values (9)")
        billed = ctx.blocking.enqueue(bill, Order(), connection=caller.handed, delay=timedelta(hours=1))
        assert orders_and_jobs(data.dsn) == (0, 1, 1)
        if data.fails:
            raise ZeroDivisionError
    return str(billed.job_id)


class Parcel(JobData):
    dsn: str
    driver: str
    does: str = "ship"


@job("ship", retry=RetryPolicy(max_attempts=1))
def ship(ctx: JobContext, data: Parcel) -> str:
    """Write an order, enqueue its bill and complete this job, in one transaction of its own in this thread."""
    [driver] = [one for one in BLOCKING_CALLERS if one.__name__ == data.driver]
    with driver.open(data.dsn) as caller:
        if data.does == "ship in a transaction":
            with caller.transaction(), ctx.blocking.complete_in(caller.handed):
                pass
        with ctx.blocking.complete_in(caller.handed, result="shipped") as handed:
            assert handed is caller.handed
            caller.run("insert into orders values (9)")
            ctx.blocking.progress(50)
            ctx.blocking.enqueue(bill, Order(), connection=handed, delay=timedelta(hours=1))
            assert stands(data.dsn) == (0, 0, "processing")
            if data.does == "be cancelled":
                with psycopg.connect(data.dsn) as other:
                    other.execute("delete from pgboss.job where name = 'ship'")
                    other.execute("update jobs set status = 'cancelled', completed_at = now() where type = 'ship'")
            if data.does == "fail":
                raise ZeroDivisionError
        assert stands(data.dsn) == (1, 1, "completed")
        with pytest.raises(AlreadyCompletedError), ctx.blocking.complete_in(caller.handed):
            pass
    return "too late"


def stands(dsn: str) -> TupleRow:
    """The number of orders and of bills, and how the job `ship` stands."""
    with psycopg.connect(dsn) as connection:
        [row] = connection.execute(
            "select (select count(*) from orders), (select count(*) from jobs where type = 'bill'),"
            " (select status from jobs where type = 'ship')"
        )
        return row


@pytest.fixture
def app(database_dsn: str) -> Generator[BlockingJobApp]:
    with (
        psycopg.connect(database_dsn) as connection,
        BlockingJobApp(Settings.load(env={"DATABASE_URL": database_dsn}), handlers=[bill, pay, ship]) as app,
    ):
        connection.execute("create table orders (id int primary key)")
        connection.execute("grant all on orders to jobcore_tenant")
        connection.commit()
        yield app


@pytest.fixture
def caller(driver: type[BlockingCaller], app: BlockingJobApp, database_dsn: str) -> Generator[BlockingCaller]:
    with driver.open(database_dsn) as caller:
        yield caller


def enqueue(app: BlockingJobApp, caller: BlockingCaller, tenant: UUID = TENANT, **options: Any) -> UUID:
    return app.enqueue(bill, Order(), tenant=tenant, connection=caller.handed, **options).job_id


def orders_and_jobs(dsn: str) -> TupleRow:
    with psycopg.connect(dsn) as connection:
        [row] = connection.execute(
            "select (select count(*) from orders), (select count(*) from jobs), (select count(*) from pgboss.job)"
        )
        return row


def test_a_commit_keeps_the_job_and_shows_it_only_then(
    app: BlockingJobApp, caller: BlockingCaller, database_dsn: str
) -> None:
    with caller.transaction():
        caller.run("insert into orders values (1)")
        handles = app.enqueue_many(bill, [Order(), Order()], tenant=TENANT, connection=caller.handed)
        assert orders_and_jobs(database_dsn) == (0, 0, 0)
    assert orders_and_jobs(database_dsn) == (1, 2, 2)
    assert [handle.status().status for handle in handles] == ["queued", "queued"]


def test_an_error_in_the_middle_leaves_nothing(app: BlockingJobApp, caller: BlockingCaller, database_dsn: str) -> None:
    with suppress(ZeroDivisionError), caller.transaction():
        caller.run("insert into orders values (1)")
        enqueue(app, caller)
        raise ZeroDivisionError
    assert orders_and_jobs(database_dsn) == (0, 0, 0)


def test_a_rolled_back_savepoint_takes_its_job_along(
    app: BlockingJobApp, caller: BlockingCaller, database_dsn: str
) -> None:
    with caller.transaction():
        caller.run("insert into orders values (1)")
        kept = enqueue(app, caller)
        with suppress(ZeroDivisionError), caller.savepoint():
            enqueue(app, caller)
            raise ZeroDivisionError
    assert orders_and_jobs(database_dsn) == (1, 1, 1)
    assert app.get_job(TENANT, kept).status == "queued"
    assert app.get_job(TENANT, kept).payload["note"] == Order().note


def test_a_tenants_role_enqueues_for_its_tenant_only(
    app: BlockingJobApp, caller: BlockingCaller, database_dsn: str
) -> None:
    with caller.transaction():
        caller.run("set local role jobcore_tenant")
        caller.run(f"set local jobcore.tenant = '{TENANT}'")
        enqueue(app, caller)
        with pytest.raises(Exception, match="may not write for another"), caller.savepoint():
            enqueue(app, caller, tenant=OTHER)
    assert orders_and_jobs(database_dsn) == (0, 1, 1)


def test_the_statement_runs_in_the_callers_thread(
    app: BlockingJobApp, caller: BlockingCaller, database_dsn: str
) -> None:
    """One application serves many threads, each with the connection of its own that its library gives it."""
    enqueued: list[UUID] = []

    def serve() -> None:
        with type(caller).open(database_dsn) as own, own.transaction():
            enqueued.append(enqueue(app, own))

    threads = [threading.Thread(target=serve) for _ in range(4)]
    with caller.transaction():
        enqueued.append(enqueue(app, caller))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert orders_and_jobs(database_dsn) == (0, 4, 4)
    assert orders_and_jobs(database_dsn) == (0, 5, 5)
    assert len(set(enqueued)) == 5


@pytest.mark.parametrize("fails", [False, True])
def test_a_handler_in_a_thread_enqueues_in_its_own_transaction(
    app: BlockingJobApp, driver: type[BlockingCaller], database_dsn: str, fails: bool
) -> None:
    worker = app.worker()
    worker.start()
    payment = Payment(dsn=database_dsn, driver=driver.__name__, fails=fails)
    paid = app.enqueue(pay, payment, tenant=TENANT)
    if fails:
        with pytest.raises(JobFailedError, match="no reason"):
            paid.result(timeout=20)
    else:
        child = app.get_job(TENANT, paid.result(timeout=20))
        assert (child.type, child.parent_job_id) == ("bill", paid.job_id)
    worker.stop()
    with psycopg.connect(database_dsn) as connection:
        [(orders, bills)] = connection.execute(
            "select (select count(*) from orders), (select count(*) from jobs where type = 'bill')"
        ).fetchall()
    assert (orders, bills) == ((0, 0) if fails else (1, 1))


@pytest.mark.parametrize("does", ["ship", "fail", "be cancelled", "ship in a transaction"])
def test_a_handler_in_a_thread_completes_in_its_own_transaction(
    app: BlockingJobApp, driver: type[BlockingCaller], database_dsn: str, does: str
) -> None:
    worker = app.worker()
    worker.start()
    parcel = Parcel(dsn=database_dsn, driver=driver.__name__, does=does)
    shipped = app.enqueue(ship, parcel, tenant=TENANT)
    if driver is Django:
        with pytest.raises(JobFailedError):
            shipped.result(timeout=20)
        assert "takes a blocking connection that opens its transactions itself" in error_of(database_dsn)
    elif does == "ship":
        assert shipped.result(timeout=20) == "shipped"
        assert stands(database_dsn) == (1, 1, "completed")
    else:
        with pytest.raises(JobFailedError if does != "be cancelled" else JobCancelledError):
            shipped.result(timeout=20)
        assert stands(database_dsn)[:2] == (0, 0)
    worker.stop()


def error_of(dsn: str) -> str:
    with psycopg.connect(dsn) as connection:
        [row] = connection.execute("select error::text from jobs where type = 'ship'")
        return row[0]


def test_another_database_is_refused_and_stays_empty(
    app: BlockingJobApp, driver: type[BlockingCaller], empty_database_dsn: str, other_migrated_dsn: str
) -> None:
    for dsn, reason in ((empty_database_dsn, "without jobcore"), (other_migrated_dsn, "in another database")):
        with driver.open(dsn) as caller, pytest.raises(ForeignConnectionError, match=reason), caller.transaction():
            enqueue(app, caller)
    with psycopg.connect(other_migrated_dsn) as connection:
        assert connection.execute("select from jobs").fetchall() == []
