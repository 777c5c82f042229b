"""The background role: one worker an interval deletes what need not be kept, without looking at all that is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest

from jobcore.app import JobApp
from jobcore.app.upkeep import Upkeep
from jobcore.errors import StorageError, StorageUnavailableError
from jobcore.memory.store import MemoryStore
from jobcore.settings import Settings
from jobcore.states import JobState
from jobcore_postgres.retention import Rule
from jobcore_postgres.settings import PostgresSettings
from jobcore_postgres.store import PostgresStore
from postgres_storage.builders import OTHER_TENANT, TENANT
from postgres_storage.retained import DAY, count_of, jobs_left, make_jobs


@pytest.fixture
def open_store(worker_dsn: str) -> Callable[..., Any]:
    """Open a store with these settings for a block."""

    @asynccontextmanager
    async def open_one(**settings: Any) -> AsyncIterator[PostgresStore]:
        store = PostgresStore(worker_dsn, PostgresSettings(**settings))
        await store.open()
        yield store
        await store.close()

    return open_one


def take_again(admin: psycopg.Connection) -> None:
    """Let the interval be over."""
    admin.execute("update jobcore.duties set taken_at = taken_at - interval '1 hour'")


async def test_one_worker_an_interval_does_it(open_store: Callable[..., Any], admin: psycopg.Connection) -> None:
    async with open_store(keep_completed_days=30) as first, open_store(keep_completed_days=30) as second:
        make_jobs(admin, 50)
        await asyncio.gather(first.upkeep(), second.upkeep())
        assert count_of(admin, "jobs") == 0
        make_jobs(admin, 50)
        assert await second.upkeep() == 60
        assert count_of(admin, "jobs") == 50
        take_again(admin)
        admin.execute("delete from jobcore.retention_marks")  # these jobs were not there when it passed
        assert 0 <= await second.upkeep() <= 60
        assert count_of(admin, "jobs") == 0


async def test_by_default_nothing_goes(store: PostgresStore, admin: psycopg.Connection) -> None:
    kept = make_jobs(admin, 3, made=4000 * DAY)
    await store.upkeep()
    assert jobs_left(admin) == set(kept)


async def test_each_state_and_each_tenant_has_its_own_time(
    open_store: Callable[..., Any], admin: psycopg.Connection
) -> None:
    async with open_store(keep_completed_days=10, keep_failed_days=90) as store:
        await store.retention.set_rule(Rule(OTHER_TENANT, JobState.COMPLETED, None))
        await store.retention.set_rule(Rule(OTHER_TENANT, JobState.CANCELLED, 20 * DAY))
        make_jobs(admin, 3)
        kept = {
            *make_jobs(admin, 2, status="failed"),
            *make_jobs(admin, 2, status="cancelled"),
            *make_jobs(admin, 2, tenant=OTHER_TENANT),
        }
        make_jobs(admin, 2, status="failed", made=91 * DAY)
        make_jobs(admin, 2, status="cancelled", tenant=OTHER_TENANT)
        await store.upkeep()
        assert jobs_left(admin) == kept


async def test_what_was_looked_at_is_not_looked_at_again_until_the_sweep(
    open_store: Callable[..., Any], admin: psycopg.Connection
) -> None:
    async with open_store(keep_completed_days=30) as store:
        (late,) = make_jobs(admin, status="processing")
        make_jobs(admin, 5)
        await store.upkeep()
        admin.execute("update jobs set status = 'completed', completed_at = now() - interval '31 days'")
        take_again(admin)
        await store.upkeep()
        assert jobs_left(admin) == {late}
        admin.execute("update jobcore.retention_marks set swept_at = swept_at - interval '25 hours'")
        take_again(admin)
        await store.upkeep()
        assert jobs_left(admin) == set()


async def test_a_shorter_rule_takes_what_was_passed_over(
    open_store: Callable[..., Any], admin: psycopg.Connection
) -> None:
    async with open_store(keep_completed_days=100) as store:
        make_jobs(admin, 4)
        make_jobs(admin, 4, made=101 * DAY)
        await store.upkeep()
        assert count_of(admin, "jobs") == 4
        await store.retention.set_rule(Rule(TENANT, JobState.COMPLETED, 39 * DAY))
        take_again(admin)
        await store.upkeep()
        assert count_of(admin, "jobs") == 0


async def test_a_round_that_takes_longer_than_its_interval_goes_on_in_the_next(
    open_store: Callable[..., Any], admin: psycopg.Connection
) -> None:
    async with open_store(keep_completed_days=30, prune_interval_seconds=0.02) as store:
        make_jobs(admin, 3000, details=True)
        rounds = 0
        while count_of(admin, "jobs"):
            await asyncio.sleep(await store.upkeep())
            rounds += 1
        assert rounds > 1
        assert count_of(admin, "job_details") == 0


async def test_workers_that_died_are_forgotten_after_a_day(store: PostgresStore, admin: psycopg.Connection) -> None:
    admin.execute(
        "insert into jobcore.workers (worker_id, runner_type, host, pid, handlers, queues, concurrency, seen_at)"
        " select gen_random_uuid(), 'pgboss', name, 1, '{}', '{}', 1, now() - age"
        " from (values ('dead', interval '25 h'), ('ill', interval '23 h'), ('well', interval '0')) w (name, age)"
    )
    await store.upkeep()
    assert admin.execute("select host from jobcore.workers order by host").fetchall() == [("ill",), ("well",)]


async def test_a_worker_of_the_application_does_it(database_dsn: str, admin: psycopg.Connection) -> None:
    make_jobs(admin, 20)
    env = {"DATABASE_URL": database_dsn, "JOBCORE_POSTGRES__KEEP_COMPLETED_DAYS": "30", "JOBCORE_ENV": "development"}
    async with JobApp(Settings.load(env=env)) as app:
        worker = app.worker()
        await worker.start()
        async with asyncio.timeout(20):
            while count_of(admin, "jobs"):  # noqa: ASYNC110 - PostgreSQL has no event for it
                await asyncio.sleep(0.02)
        await worker.stop()


class FailingOnce(MemoryStore):
    """A storage that is away the first time it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.done = asyncio.Event()

    async def upkeep(self) -> float | None:
        self.asked += 1
        if self.asked == 1:
            raise StorageUnavailableError("away")
        self.done.set()
        return None


async def test_a_storage_that_was_away_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("jobcore.app.upkeep.AFTER_TROUBLE", 0)
    store = FailingOnce()
    upkeep = Upkeep(store)
    upkeep.begin()
    async with asyncio.timeout(10):
        await store.done.wait()
    await upkeep.end()
    await upkeep.end()
    assert store.asked == 2
    assert "housekeeping could not be done and will be tried again: away" in caplog.text


async def test_a_storage_without_housekeeping_is_asked_once() -> None:
    assert await MemoryStore().upkeep() is None


async def test_a_statement_that_is_broken_off_is_no_end(
    open_store: Callable[..., Any], admin: psycopg.Connection
) -> None:
    async with open_store(keep_completed_days=30) as store:
        make_jobs(admin, 5)
        admin.execute("alter role test_worker set statement_timeout = 50")
        await store.close()
        await store.open()
        try:
            with psycopg.connect(admin.info.dsn, password=admin.info.password) as holder:
                holder.execute("lock table jobcore.duties")
                with pytest.raises(StorageError, match=r"broken off: .*statement timeout"):
                    await store.upkeep()
        finally:
            admin.execute("alter role test_worker reset statement_timeout")
        await store.upkeep()
        assert count_of(admin, "jobs") == 0
