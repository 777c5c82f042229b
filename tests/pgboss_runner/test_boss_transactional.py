"""Handlers whose rows commit with the end of their jobs."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import pytest

from jobcore.errors import InputError
from jobcore_pgboss.boss import Job, PgBoss
from jobcore_pgboss.boss.options import camel_case
from pgboss_runner.boss_face import Pair
from pgboss_runner.harness import eventually
from pgboss_runner.test_boss_working import FAST, ended

CONNECTIONS = "select pid from pg_stat_activity where application_name = 'jobcore boss transaction' and datname = %s"


@pytest.fixture(autouse=True)
async def orders(database_dsn: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_dsn) as connection:
        await connection.execute("create table orders (n int primary key)")


async def rows(pair: Pair) -> list[int]:
    return [row["n"] for row in await pair.rows("select n from orders order by n")]


async def write(jobs: list[Job], connection: psycopg.AsyncConnection[Any]) -> Any:
    for job in jobs:
        await connection.execute("insert into orders values (%s)", (job.data["n"],))
    return {"written": len(jobs)}


async def test_the_handlers_rows_commit_with_the_completion(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    job_id = await pair.node.call("send", "mail", {"n": 1})
    release = asyncio.Event()

    async def handler(jobs: list[Job], connection: psycopg.AsyncConnection[Any]) -> Any:
        result = await write(jobs, connection)
        await release.wait()
        return result

    await pair.boss.work("mail", handler, transactional=True, **FAST)
    assert (await ended(pair, job_id, "active"))["output"] is None
    assert await rows(pair) == []
    release.set()
    assert (await ended(pair, job_id))["output"] == {"written": 1}
    assert await rows(pair) == [1]


async def test_an_error_undoes_them_and_fails_the_batch(pair: Pair) -> None:
    await pair.boss.create_queue("mail", retry_limit=0)
    ids = [await pair.boss.send("mail", {"n": n}) for n in (1, 2, 2)]
    await pair.boss.work("mail", write, batch_size=3, transactional=True, **FAST)
    row = await ended(pair, ids[0])
    assert row["state"] == "failed"
    assert "duplicate key" in row["output"]["message"]
    assert await rows(pair) == []


async def test_a_handler_that_takes_too_long_leaves_nothing(pair: Pair) -> None:
    await pair.boss.create_queue("mail", retry_limit=0, expire_in_seconds=1)
    job_id = await pair.boss.send("mail", {"n": 1})

    async def handler(jobs: list[Job], connection: psycopg.AsyncConnection[Any]) -> Any:
        await write(jobs, connection)
        await pair.boss.complete("mail", jobs, connection=connection)  # whose row it holds locked now
        await asyncio.Event().wait()

    await pair.boss.work("mail", handler, transactional=True, **FAST)
    assert (await ended(pair, job_id))["output"]["message"] == "handler execution exceeded 1s"
    assert await rows(pair) == []
    other = await pair.boss.send("mail", {"n": 2}, expire_in_seconds=1)
    await ended(pair, other)  # on the same worker


async def test_a_claim_that_was_lost_rolls_back(pair: Pair) -> None:
    await pair.boss.create_queue("mail", retry_limit=0)
    job_id = await pair.boss.send("mail", {"n": 1})
    release = asyncio.Event()
    tried: list[int] = []

    async def handler(jobs: list[Job], connection: psycopg.AsyncConnection[Any]) -> Any:
        tried.append(1)
        await release.wait()
        return await write(jobs, connection)

    await pair.boss.work("mail", handler, transactional=True, **FAST)
    await ended(pair, job_id, "active")
    await pair.node.call("cancel", "mail", str(job_id))
    release.set()
    await pair.boss.off_work("mail")
    assert (await pair.job(job_id))["state"] == "cancelled"
    assert (await rows(pair), tried) == ([], [1])


async def test_a_handler_may_end_jobs_by_itself_in_its_transaction(pair: Pair) -> None:
    await pair.boss.create_queue("mail", retry_limit=0)
    ids = [await pair.boss.send("mail", {"n": n}) for n in range(3)]

    async def handler(jobs: list[Job], connection: psycopg.AsyncConnection[Any]) -> Any:
        await write(jobs, connection)
        await pair.boss.fail("mail", jobs[1], "refused", connection=connection)
        await pair.boss.delete_job("mail", jobs[2], connection=connection)

    await pair.boss.work("mail", handler, batch_size=3, transactional=True, **FAST)
    assert (await ended(pair, ids[0]))["state"] == "completed"
    assert (await pair.job(ids[1]))["output"] == {"value": "refused"}
    assert await pair.rows("select from pgboss.job where id = %s", ids[2]) == []
    assert await rows(pair) == [0, 1, 2]


@pytest.mark.parametrize(
    ("options", "bound"),
    [
        ({}, "65000ms"),
        ({"transaction_timeout_seconds": 20}, "20000ms"),
        ({"transaction_timeout_seconds": 0}, "0ms"),
    ],
)
async def test_the_server_bounds_the_transaction(pair: Pair, options: dict[str, Any], bound: str) -> None:
    await pair.boss.create_queue("mail", expire_in_seconds=60)
    job_id = await pair.boss.send("mail")

    async def handler(jobs: list[Job], connection: psycopg.AsyncConnection[Any]) -> Any:
        asked = "select setting || unit from pg_settings where name = any(%s) order by name desc limit 1"
        names = ["transaction_timeout", "idle_in_transaction_session_timeout"]
        row = await (await connection.execute(asked, (names,))).fetchone()
        return row and row[0]

    await pair.boss.work("mail", handler, transactional=True, **options, **FAST)
    assert (await ended(pair, job_id))["output"] == {"value": bound}


async def test_a_transaction_that_the_server_ended_leaves_nothing(pair: Pair) -> None:
    await pair.boss.create_queue("mail", retry_limit=0)
    job_id = await pair.boss.send("mail", {"n": 1})

    async def handler(jobs: list[Job], connection: psycopg.AsyncConnection[Any]) -> Any:
        await write(jobs, connection)
        await eventually(lambda: are(pair, 0))

    await pair.boss.work("mail", handler, transactional=True, transaction_timeout_seconds=1, **FAST)
    assert (await ended(pair, job_id))["state"] == "failed"
    assert await rows(pair) == []
    other = await pair.boss.send("mail", {"n": 2})
    await ended(pair, other)


async def test_its_connection_goes_with_the_worker_or_with_the_handler_that_runs_on(pair: Pair) -> None:
    await pair.boss.create_queue("mail", retry_limit=0, expire_in_seconds=1)
    job_id = await pair.boss.send("mail", {"n": 1})
    release = asyncio.Event()

    async def handler(jobs: list[Job], connection: psycopg.AsyncConnection[Any]) -> Any:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    boss = await PgBoss(pair.dsn).start()
    await boss.work("mail", handler, transactional=True, **FAST)
    await ended(pair, job_id)
    async with asyncio.timeout(10):
        await boss.stop()
    assert await connections(pair) == 1
    release.set()
    await eventually(lambda: are(pair, 0))
    assert (await pair.job(job_id))["state"] == "failed"


async def connections(pair: Pair) -> int:
    return len(await pair.rows(CONNECTIONS, pair.dsn.partition("?")[0].rpartition("/")[2]))


async def are(pair: Pair, count: int) -> bool:
    return await connections(pair) == count


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"transactional": True, "per_job_results": True}, "transactional cannot be combined with per_job_results"),
        ({"transaction_timeout_seconds": 5}, "transaction_timeout_seconds requires transactional"),
        ({"transactional": True, "transaction_timeout_seconds": 1.5}, "transaction_timeout_seconds must be a whole"),
        ({"transactional": True, "transaction_timeout_seconds": -1}, "at least 0"),
    ],
)
async def test_what_node_refuses_of_transactions_is_refused(pair: Pair, options: dict[str, Any], refusal: str) -> None:
    in_node = {camel_case(name): value for name, value in options.items()}
    assert await pair.node.refusal("work", "mail", in_node) is not None
    anything: Any = pair.boss
    with pytest.raises(InputError, match=refusal):
        await anything.work("mail", write, **options)
