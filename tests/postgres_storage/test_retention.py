"""What retention deletes, and what it never does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from jobcore.errors import InputError
from jobcore.states import JobState
from jobcore_postgres.retention import Rule
from jobcore_postgres.store import PostgresStore
from postgres_storage.builders import OTHER_TENANT, TENANT, running, settle
from postgres_storage.retained import DAY, count_of, jobs_left, make_jobs

UNENDED = ["pending", "queued", "active", "processing"]


async def prune(
    store: PostgresStore, older_than: timedelta | None = 30 * DAY, *states: JobState, tenant: UUID | None = None
) -> int:
    walks = await store.retention.plan(older_than=older_than, states=states, tenant=tenant)
    counted = sum([(await store.retention.count(walk)).jobs for walk in walks])
    deleted = 0
    for _ in range(20):  # on a busy machine a walk is left for the next time
        deleted += sum([(await store.retention.prune(walk)).jobs for walk in walks])
        if deleted >= counted:
            break
    assert deleted == counted
    return deleted


async def test_jobs_that_ended_long_ago_go_with_their_details(store: PostgresStore, admin: psycopg.Connection) -> None:
    make_jobs(admin, 700, details=True)
    young = make_jobs(admin, 5, made=29 * DAY, details=True)
    (walk,) = await store.retention.plan(older_than=30 * DAY, states=[JobState.COMPLETED])
    seen: list[int] = []
    pruned = await store.retention.prune(walk, seen.append)
    assert (pruned.jobs, pruned.details) == (700, 700)
    assert len(seen) > 2
    assert seen == sorted(seen)
    assert seen[-1] == 700
    assert jobs_left(admin) == set(young)
    assert count_of(admin, "job_details") == 5


async def test_the_age_counts_from_the_end_and_not_from_the_making(
    store: PostgresStore, admin: psycopg.Connection
) -> None:
    kept = make_jobs(admin, made=90 * DAY, ended=1 * DAY)
    make_jobs(admin, made=90 * DAY, ended=31 * DAY)
    assert await prune(store) == 1
    assert jobs_left(admin) == set(kept)


@pytest.mark.parametrize("status", UNENDED)
async def test_a_job_that_has_not_ended_stays_whatever_its_age(
    store: PostgresStore, admin: psycopg.Connection, status: str
) -> None:
    kept = make_jobs(admin, status=status, made=4000 * DAY)
    assert await prune(store, timedelta(milliseconds=1)) == 0
    assert jobs_left(admin) == set(kept)


@pytest.mark.parametrize("status", UNENDED)
async def test_a_parent_stays_while_a_child_has_not_ended(
    store: PostgresStore, admin: psycopg.Connection, status: str
) -> None:
    (parent,) = make_jobs(admin)
    (child,) = make_jobs(admin, status=status, parent=parent)
    assert await prune(store) == 0
    admin.execute("update jobs set status = 'completed', completed_at = now() where job_id = %s", (child,))
    assert await prune(store) == 1
    assert jobs_left(admin) == {child}


async def test_only_the_states_and_the_tenant_that_are_named(store: PostgresStore, admin: psycopg.Connection) -> None:
    failed = make_jobs(admin, 3, status="failed")
    cancelled = make_jobs(admin, 2, status="cancelled")
    make_jobs(admin, 4)
    others = make_jobs(admin, 6, tenant=OTHER_TENANT)
    assert await prune(store, 30 * DAY, JobState.COMPLETED, tenant=TENANT) == 4
    assert jobs_left(admin) == {*failed, *cancelled, *others}
    assert await prune(store, 30 * DAY, JobState.CANCELLED) == 2
    assert await prune(store) == 9


async def test_rows_of_the_founding_documents_go_by_their_last_change(
    store: PostgresStore, admin: psycopg.Connection
) -> None:
    (old,) = make_jobs(admin)
    (late,) = make_jobs(admin)
    (bare,) = make_jobs(admin)
    admin.execute("update jobs set completed_at = null")
    admin.execute("update jobs set updated_at = now() where job_id = %s", (late,))
    admin.execute("update jobs set updated_at = null where job_id = %s", (bare,))
    assert await prune(store) == 2
    assert jobs_left(admin) == {late}
    assert old != bare


async def test_many_jobs_of_one_instant_that_stay_do_not_hold_up_the_rest(
    store: PostgresStore, admin: psycopg.Connection
) -> None:
    make_jobs(admin, 3000, status="failed")
    make_jobs(admin, 2000, made=35 * DAY)
    admin.execute("update jobs set created_at = now() - interval '40 days' where status = 'failed'")
    assert await prune(store, 30 * DAY, JobState.COMPLETED) == 2000
    assert count_of(admin, "jobs") == 3000


async def test_a_state_that_is_no_end_is_refused(store: PostgresStore, admin: psycopg.Connection) -> None:
    with pytest.raises(InputError, match="have not ended and are never deleted"):
        await store.retention.plan(older_than=DAY, states=[JobState.QUEUED])
    with pytest.raises(InputError, match="have not ended"):
        await store.retention.set_rule(Rule(TENANT, JobState.PENDING, DAY))
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="have not ended"):
        admin.execute("select * from jobcore.job_prune(%s, 'queued', 1, '-infinity', 10, 10)", (TENANT,))


@pytest.mark.parametrize("age", [timedelta(), timedelta(days=-1)])
async def test_an_age_that_is_none_is_refused(store: PostgresStore, age: timedelta) -> None:
    with pytest.raises(InputError, match="would delete jobs as they end"):
        await store.retention.plan(older_than=age)


class TestTheRules:
    async def test_without_any_nothing_goes(self, store: PostgresStore, admin: psycopg.Connection) -> None:
        make_jobs(admin, made=4000 * DAY)
        assert await store.retention.plan() == []

    async def test_a_tenants_own_stands_before_the_default(
        self, store: PostgresStore, admin: psycopg.Connection
    ) -> None:
        make_jobs(admin, 3)
        kept = make_jobs(admin, 2, tenant=OTHER_TENANT)
        await store.retention.set_rule(Rule(TENANT, JobState.COMPLETED, 30 * DAY))
        assert await prune(store, None) == 3
        assert jobs_left(admin) == set(kept)
        await store.retention.set_rule(Rule(TENANT, JobState.COMPLETED, None))
        assert await store.retention.overrides(TENANT) == [Rule(TENANT, JobState.COMPLETED, None)]
        assert await store.retention.plan() == []
        await store.retention.unset(TENANT)
        assert await store.retention.overrides() == []

    async def test_a_tenant_sees_its_own_and_changes_none(self, store: PostgresStore, tenant_dsn: str) -> None:
        for tenant in (TENANT, OTHER_TENANT):
            await store.retention.set_rule(Rule(tenant, JobState.FAILED, DAY))
        with psycopg.connect(tenant_dsn) as connection:
            connection.execute("select set_config('jobcore.tenant', %s, true)", (str(TENANT),))
            assert connection.execute("select tenant from jobcore.retention").fetchall() == [(TENANT,)]
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute("delete from jobcore.retention")

    async def test_a_tenant_may_not_prune(self, store: PostgresStore, tenant_dsn: str) -> None:
        with psycopg.connect(tenant_dsn) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select jobcore.job_prune(%s, 'completed', 1, '-infinity', 10, 10)", (TENANT,))


class TestOthersAtWork:
    async def test_a_job_that_somebody_holds_is_passed_over_and_nobody_is_waited_for(
        self, store: PostgresStore, admin: psycopg.Connection, database_dsn: str
    ) -> None:
        (held, _, _) = make_jobs(admin, 3)
        with psycopg.connect(database_dsn) as holder:
            holder.execute("select from jobs where job_id = %s for key share", (held,))
            (walk,) = await store.retention.plan(older_than=30 * DAY, states=[JobState.COMPLETED])
            assert (await store.retention.prune(walk)).jobs == 2
            assert jobs_left(admin) == {held}
        assert await prune(store) == 1

    async def test_a_detail_that_somebody_holds_ends_the_walk_and_loses_nothing(
        self, store: PostgresStore, admin: psycopg.Connection, database_dsn: str
    ) -> None:
        make_jobs(admin, 3, details=True)
        with psycopg.connect(database_dsn) as holder:
            holder.execute("select from job_details for update")
            (walk,) = await store.retention.plan(older_than=30 * DAY, states=[JobState.COMPLETED])
            assert (await store.retention.prune(walk)).jobs == 0
        assert (count_of(admin, "jobs"), count_of(admin, "job_details")) == (3, 3)
        assert await prune(store) == 3

    async def test_all_held_jobs_of_one_instant_do_not_keep_it_for_ever(
        self, store: PostgresStore, admin: psycopg.Connection, database_dsn: str
    ) -> None:
        make_jobs(admin, 400)
        admin.execute("update jobs set created_at = now() - interval '40 days'")
        with psycopg.connect(database_dsn) as holder:
            holder.execute("select from jobs for key share")
            (walk,) = await store.retention.plan(older_than=30 * DAY, states=[JobState.COMPLETED])
            assert (await store.retention.prune(walk)).jobs == 0
        assert await prune(store) == 400

    async def test_a_job_requeued_meanwhile_stays(self, store: PostgresStore, admin: psycopg.Connection) -> None:
        lease = await running(store)
        assert (await settle(store, lease, "failed", error={"message": "no"}))["applied"]
        admin.execute("update jobs set created_at = now() - interval '40 days', completed_at = created_at")
        (walk,) = await store.retention.plan(older_than=30 * DAY, states=[JobState.FAILED])
        with admin.transaction():
            admin.execute("select from jobcore.job_requeue(%s, %s)", (TENANT, [lease.job_id]))
            assert (await store.retention.prune(walk)).jobs == 0
        assert (await store.retention.prune(walk)).jobs == 0
        assert jobs_left(admin) == {lease.job_id}

    async def test_through_a_pooler_it_is_the_same(self, pooled_worker_dsn: str, admin: psycopg.Connection) -> None:
        make_jobs(admin, 250, details=True)
        store = PostgresStore(pooled_worker_dsn)
        await store.open()
        assert await prune(store) == 250
        await store.close()


class TestASlowDatabase:
    """A batch that takes 40 ms is broken off, for somebody may wait for one of its rows; smaller ones follow."""

    @pytest.fixture
    def slow(self, admin: psycopg.Connection) -> Callable[[float], None]:
        """Let the deletion of each job take so many milliseconds."""

        def make(milliseconds: float) -> None:
            admin.execute(
                f"create function pg_temp_slow() returns trigger language plpgsql as "
                f"$$ begin perform pg_sleep({milliseconds / 1000}); return old; end $$".encode()
            )
            admin.execute("create trigger slow before delete on jobs for each row execute function pg_temp_slow()")

        return make

    async def test_gets_smaller_batches(
        self, store: PostgresStore, admin: psycopg.Connection, slow: Callable[[float], None]
    ) -> None:
        make_jobs(admin, 60)
        slow(1)
        assert await prune(store) == 60

    async def test_is_left_alone_if_the_smallest_take_too_long(
        self,
        store: PostgresStore,
        admin: psycopg.Connection,
        slow: Callable[[float], None],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        make_jobs(admin, 20)
        slow(30)
        (walk,) = await store.retention.plan(older_than=30 * DAY, states=[JobState.COMPLETED])
        assert (await store.retention.prune(walk)).jobs == 0
        assert "the database takes too long for even a few of them" in caplog.text
        assert count_of(admin, "jobs") == 20
