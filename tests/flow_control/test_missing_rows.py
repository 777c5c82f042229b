"""A job's row is deleted, by hand or by retention, while it waits or others wait for it: nobody waits for nothing."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from flow_control.conftest import PATIENCE, Floor, Open, until
from jobcore import Concurrency, JobApp, JobContext, JobData, JobState, job
from jobcore.errors import JobCancelledError

A = uuid4()


class Data(JobData):
    n: int
    fails: bool = False


@pytest.fixture
def runner_type() -> str:
    """Only a database has rows that somebody can delete."""
    return "pgboss"


@pytest.fixture
async def app(opened: Open, floor: Floor) -> JobApp:
    @job("single", limits=[Concurrency(1)])
    async def single(ctx: JobContext, data: Data) -> None:
        await floor.hold(data.n)

    @job("plain")
    async def plain(ctx: JobContext, data: Data) -> None:
        await floor.hold(data.n)
        if data.fails:
            raise RuntimeError("as planned")

    return await opened(single, plain)


async def delete(dsn: str, *handles: Any) -> None:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.execute("delete from jobs where job_id = any (%s)", [[handle.job_id for handle in handles]])


async def nothing_is_kept(dsn: str) -> bool:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        cursor = await connection.execute(
            "select from jobcore.admissions union all select from jobcore.slots "
            "union all select from jobcore.dependencies where not settled"
        )
        return cursor.rowcount == 0


async def test_one_that_waits_keeps_no_other_from_passing(app: JobApp, floor: Floor, database_dsn: str) -> None:
    running, waiting, last = [await app.enqueue("single", Data(n=n), tenant=A) for n in range(3)]
    await until(lambda: floor.running == [0])
    await delete(database_dsn, waiting)
    floor.let_go(0, 2)
    await running.result(timeout=PATIENCE)
    await last.result(timeout=PATIENCE)
    await until(lambda: nothing_is_kept(database_dsn))
    assert floor.began == [0, 2]


async def test_one_that_runs_gives_its_slot_back(app: JobApp, floor: Floor, database_dsn: str) -> None:
    running, waiting = [await app.enqueue("single", Data(n=n), tenant=A) for n in range(2)]
    await until(lambda: floor.running == [0])
    await delete(database_dsn, running)
    floor.let_go(1)
    await waiting.result(timeout=PATIENCE)
    await until(lambda: nothing_is_kept(database_dsn))
    floor.let_go(0)


@pytest.mark.parametrize("on_failure", ["cancel", "wait"])
async def test_one_that_others_wait_for_takes_them_with_it(
    app: JobApp, floor: Floor, database_dsn: str, on_failure: str
) -> None:
    parent = await app.enqueue("plain", Data(n=0), tenant=A)
    child = await app.enqueue("plain", Data(n=1), tenant=A, after=[parent], on_parent_failure=on_failure)
    await until(lambda: floor.running == [0])
    await delete(database_dsn, parent)
    with pytest.raises(JobCancelledError, match=f"job {parent.job_id}, after which it was to run, is no more"):
        await child.result(timeout=PATIENCE)
    floor.let_go(0)
    await until(lambda: nothing_is_kept(database_dsn))


async def test_one_that_others_wait_for_whatever_its_end_lets_them_go(
    app: JobApp, floor: Floor, database_dsn: str
) -> None:
    floor.let_go(1)
    parent = await app.enqueue("plain", Data(n=0), tenant=A, delay=3600)
    child = await app.enqueue("plain", Data(n=1), tenant=A, after=[parent], on_parent_failure="run")
    await delete(database_dsn, parent)
    await child.result(timeout=PATIENCE)
    assert await nothing_is_kept(database_dsn)


async def test_retention_spares_one_that_is_to_be_retried_for_the_sake_of_others(
    app: JobApp, floor: Floor, database_dsn: str
) -> None:
    floor.let_go(0, 1)
    parent = await app.enqueue("plain", Data(n=0, fails=True), tenant=A, max_attempts=1)
    child = await app.enqueue("plain", Data(n=1), tenant=A, after=[parent], on_parent_failure="wait")

    async def failed() -> bool:
        return (await parent.status()).status is JobState.FAILED

    await until(failed)
    async with await psycopg.AsyncConnection.connect(database_dsn, autocommit=True) as connection:
        prune = "select jobs from jobcore.job_prune(%s, 'failed', 0, '-infinity', 100, 100)"
        assert await (await connection.execute(prune, [A])).fetchone() == (0,)
        await child.cancel("no longer needed")
        assert await (await connection.execute(prune, [A])).fetchone() == (1,)
