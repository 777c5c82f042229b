"""A large call is stored while its last jobs are still being planned, in one transaction: all of them, or none."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from jobcore.errors import StorageUnavailableError
from jobcore.models import NewJob
from jobcore_pgboss import intake
from jobcore_pgboss.runner import PgBossRunner
from jobcore_pgboss.settings import PgBossSettings
from jobcore_postgres.background.link import Link
from jobcore_postgres.store import PostgresStore
from pgboss_runner.harness import App, new_job

MANY = 5 * intake.CHUNK
ADDING = """
select pid from pg_stat_activity
where datname = current_database() and query like '%pgboss_add%' and xact_start is not null and pid <> pg_backend_pid()
"""


def plans(jobs: Sequence[NewJob], at: int, then: Iterator[None]) -> Iterator[NewJob]:
    """The jobs one by one; before the job `at` is made, something happens."""
    for position, job in enumerate(jobs):
        if position == at:
            next(then)
        yield job


def adding(connection: psycopg.Connection) -> int:
    """Wait until PostgreSQL inserts the jobs of a call that is not planned to its end; return the process's id."""
    end = time.monotonic() + 10
    while (row := connection.execute(ADDING).fetchone()) is None:
        assert time.monotonic() < end, "PostgreSQL has not heard of the jobs that were planned"
    return int(row[0])


async def stored(app: App) -> int:
    (row,) = await app.rows(
        "select count(*) as jobs, count(q.id) as queued from public.jobs j left join pgboss.job q on q.id = j.job_id"
    )
    assert row["jobs"] == row["queued"]
    return row["jobs"]


async def test_all_are_in_and_answered_in_their_order(app: App) -> None:
    jobs = [new_job("noop") for _ in range(MANY + 1)]
    answers = await app.runner.submit(iter(jobs))
    assert [answer.job_id for answer in answers] == [job.job_id for job in jobs]
    assert not any(answer.deduplicated for answer in answers)
    assert await stored(app) == len(jobs)


async def test_postgresql_stores_the_first_while_the_last_are_planned(app: App) -> None:
    await app.enqueue()
    seen: list[int] = []

    def look() -> Iterator[None]:
        with psycopg.connect(app.dsn, autocommit=True) as connection:
            seen.append(adding(connection))
        yield

    jobs = [new_job("noop") for _ in range(MANY)]
    await app.runner.submit(plans(jobs, MANY - 1, look()))
    assert seen


async def test_a_job_that_cannot_be_planned_takes_all_others_back(app: App) -> None:
    await app.enqueue()

    def stumble() -> Iterator[None]:
        raise LookupError("job 3 of chunk 4")
        yield

    jobs = [new_job("noop") for _ in range(MANY)]
    with pytest.raises(LookupError, match="chunk 4"):
        await app.runner.submit(plans(jobs, 3 * intake.CHUNK + 3, stumble()))
    assert await stored(app) == 1
    await app.enqueue()  # the connection is fit for use


@pytest.mark.parametrize(
    "raised",
    [
        psycopg.errors.UniqueViolation("theirs"),
        psycopg.errors.AdminShutdown("theirs"),
        psycopg.errors.UndefinedTable("theirs"),
        psycopg.Rollback("theirs"),
        psycopg.OperationalError("theirs"),
        StorageUnavailableError("theirs"),
    ],
)
async def test_what_the_making_of_a_payload_raises_is_not_taken_for_the_databases(
    app: App, raised: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads payloads from a database of his own may have lost that one."""
    await app.enqueue()

    def stumble() -> Iterator[None]:
        raise raised
        yield

    jobs = [new_job("noop") for _ in range(MANY)]
    with pytest.raises(type(raised), match="theirs"):
        await app.runner.submit(plans(jobs, 3 * intake.CHUNK + 3, stumble()))
    monkeypatch.setattr(Link, "is_busy", True)  # so that a connection of the pool is taken
    with pytest.raises(type(raised), match="theirs"):
        await app.runner.submit(plans(jobs, 3 * intake.CHUNK + 3, stumble()))
    assert await stored(app) == 1


async def test_one_that_is_here_already_is_not_made_again(app: App) -> None:
    jobs = [new_job("noop") for _ in range(MANY)]
    await app.runner.submit([jobs[-2]])
    answers = await app.runner.submit(iter(jobs))
    assert [position for position, answer in enumerate(answers) if answer.deduplicated] == [MANY - 2]
    assert await stored(app) == MANY


async def test_one_that_is_unlike_the_others_keeps_its_difference(app: App) -> None:
    jobs = [new_job("noop") for _ in range(MANY)]
    jobs[-3] = replace(jobs[-3], delay=timedelta(hours=1))
    await app.runner.submit(iter(jobs))
    assert await stored(app) == MANY
    (delayed,) = await app.rows("select job_id from public.jobs where run_at > now() + interval '30 minutes'")
    assert delayed["job_id"] == jobs[-3].job_id


async def test_a_lost_connection_loses_and_doubles_nothing(app: App) -> None:
    await app.enqueue()

    def cut() -> Iterator[None]:
        with psycopg.connect(app.dsn, autocommit=True) as connection:
            connection.execute("select pg_terminate_backend(%s, 5000)", (adding(connection),))
        yield

    jobs = [new_job("noop") for _ in range(MANY)]
    answers = await app.runner.submit(plans(jobs, 3 * intake.CHUNK, cut()))
    assert [answer.job_id for answer in answers] == [job.job_id for job in jobs]
    assert await stored(app) == MANY + 1


async def test_an_old_libpq_stores_them_too(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise psycopg.NotSupportedError("pipeline mode not supported: libpq 13 is too old")

    monkeypatch.setattr(psycopg.AsyncConnection, "pipeline", refuse)
    answers = await app.runner.submit([new_job("noop") for _ in range(MANY)])
    assert len(answers) == await stored(app) == MANY


async def test_the_applications_own_pool_is_all_that_is_used(app: App) -> None:
    async with AsyncConnectionPool(
        app.dsn, min_size=1, max_size=1, open=False, kwargs={"application_name": "the pool", "autocommit": True}
    ) as pool:
        store = PostgresStore(app.dsn, pool=pool)
        runner = PgBossRunner(store=store, settings=PgBossSettings())
        await store.open()
        try:
            await runner.submit([new_job("noop")])
            await runner.submit([new_job("noop")])
            await runner.submit([new_job("noop") for _ in range(MANY)])
            ours = await app.rows(
                "select application_name as name from pg_stat_activity where datname = current_database() and "
                "application_name = 'jobcore enqueue'"
            )
        finally:
            await runner.close()
            await store.close()
    assert ours == []
    assert await stored(app) == MANY + 2
