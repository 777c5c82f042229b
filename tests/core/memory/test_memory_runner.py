"""The memory engine keeps the rules of the PostgreSQL one."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from jobcore import Cancel, JobContext, JobData, JobState, NonRetryableError, Retry, RetryPolicy, Snooze, job
from jobcore.errors import ConfigurationError, ForeignConnectionError, InputError, JobCancelledError, NaiveDatetimeError
from jobcore.memory import MemoryMode, MemoryRunner, MemoryStore, MovableClock
from jobcore.testing import memory_app
from support.execution import until

TENANT = uuid4()
SECOND = timedelta(seconds=1)


class Number(JobData):
    n: int = 0


ran: list[tuple[str, int]] = []


@pytest.fixture(autouse=True)
def _forget():
    ran.clear()


@job("note")
async def note(ctx: JobContext, data: Number) -> int:
    ran.append(("note", data.n))
    return data.n


@job("fail", retry=RetryPolicy(max_attempts=3, initial_interval=2 * SECOND))
async def fail(ctx: JobContext, data: Number) -> None:
    ran.append(("fail", ctx.attempt))
    raise ValueError("no")


@job("heal", retry=RetryPolicy(max_attempts=3, initial_interval=2 * SECOND))
async def heal(ctx: JobContext, data: Number) -> str:
    ran.append(("heal", ctx.attempt))
    if ctx.attempt < 2:
        raise ValueError("not yet")
    return "well"


@job("snooze")
async def snooze(ctx: JobContext, data: Number) -> None:
    ran.append(("snooze", ctx.attempt))
    if len(ran) < 3:
        raise Snooze(timedelta(minutes=1))


@job("give-up")
async def give_up(ctx: JobContext, data: Number) -> None:
    raise NonRetryableError("never")


@job("unwanted")
async def unwanted(ctx: JobContext, data: Number) -> None:
    raise Cancel("nobody wants it")


@job("later")
async def later(ctx: JobContext, data: Number) -> None:
    if ctx.attempt == 1:
        raise Retry("busy", after=timedelta(hours=1))


@job("wait-for-abort")
async def wait_for_abort(ctx: JobContext, data: Number) -> None:
    ran.append(("waiting", data.n))
    await ctx.signal.wait()
    ctx.signal.raise_if_aborted()


@job("block")
def block(ctx: JobContext, data: Number) -> int:
    ctx.blocking.progress(40, "half way")
    ctx.blocking.detail("item", "done", result={"n": data.n})
    return ctx.blocking.step("once", lambda: data.n + 1)


ALL = [note, fail, heal, snooze, give_up, unwanted, later, wait_for_abort, block]


@pytest.fixture
async def app():
    async with memory_app(handlers=ALL) as app:
        yield app


@pytest.fixture
async def runner(app) -> MemoryRunner:
    return await app.runner()


async def put(app: Any, definition: Any, n: int = 0, **options: Any) -> Any:
    return await definition.enqueue(app, Number(n=n), tenant=TENANT, **options)


class TestManualMode:
    async def test_a_job_waits_until_it_is_run(self, app, runner):
        handle = await put(app, note, 7)
        assert (await handle.status()).status is JobState.QUEUED
        assert ran == []

        record = await runner.run_one()

        assert ran == [("note", 7)]
        assert record.status is JobState.COMPLETED
        assert record.progress == 100
        assert await handle.result() == 7
        assert await runner.run_one() is None

    async def test_priority_then_time_decide_who_is_next(self, app, runner):
        await put(app, note, 1)
        await put(app, note, 2, priority=5)
        await put(app, note, 3)
        await put(app, note, 4, priority=-1)
        assert await runner.drain() == 4
        assert [n for _, n in ran] == [2, 1, 3, 4]

    async def test_a_delayed_job_runs_at_its_time_and_not_before(self, app, runner):
        await put(app, note, 1, delay=60)
        await put(app, note, 2, run_at=runner.store.clock.now() + timedelta(minutes=2))
        assert await runner.drain() == 0
        assert await runner.advance(timedelta(seconds=59)) == 0
        assert await runner.advance(SECOND) == 1
        assert ran == [("note", 1)]
        await runner.advance(timedelta(hours=1))
        assert ran == [("note", 1), ("note", 2)]

    async def test_failed_attempts_are_retried_with_backoff_and_recorded(self, app, runner):
        handle = await put(app, fail)
        started = runner.store.clock.now()
        await runner.drain()
        record = await app.get_job(TENANT, handle.job_id)
        assert record.status is JobState.QUEUED
        assert record.run_at == started + 2 * SECOND
        assert record.error["message"] == "no"

        await runner.advance(2 * SECOND)
        assert await runner.advance(3 * SECOND) == 0
        await runner.advance(SECOND)

        assert [attempt for _, attempt in ran] == [1, 2, 3]
        record = await app.get_job(TENANT, handle.job_id)
        assert record.status is JobState.FAILED
        details = await app.details(TENANT, handle.job_id)
        assert [(row.step_name, row.status, row.retry_count) for row in details] == [
            ("attempt 1", "failed", 0),
            ("attempt 2", "failed", 1),
            ("attempt 3", "failed", 2),
        ]
        assert details[0].result["type"] == "ValueError"

    async def test_a_retry_may_succeed_and_clears_the_error(self, app, runner):
        handle = await put(app, heal)
        await runner.advance(timedelta(minutes=1))
        assert await handle.result() == "well"
        assert (await app.get_job(TENANT, handle.job_id)).error is None

    async def test_a_snooze_costs_no_attempt(self, app, runner):
        handle = await put(app, snooze)
        await runner.advance(timedelta(minutes=5))
        assert ran == [("snooze", 1)] * 3
        record = await app.get_job(TENANT, handle.job_id)
        assert (record.status, record.attempt) == (JobState.COMPLETED, 1)
        assert await app.details(TENANT, handle.job_id) == []

    @pytest.mark.parametrize(
        ("definition", "state", "text"),
        [(give_up, JobState.FAILED, "never"), (unwanted, JobState.CANCELLED, "nobody wants it")],
    )
    async def test_a_handler_can_end_its_job_for_good(self, app, runner, definition, state, text):
        handle = await put(app, definition)
        await runner.drain()
        status = await handle.status()
        assert (status.status, status.error) == (state, text)

    async def test_a_handler_can_say_when_to_try_again(self, app, runner):
        handle = await put(app, later)
        await runner.advance(timedelta(minutes=59))
        assert (await handle.status()).status is JobState.QUEUED
        await runner.advance(timedelta(minutes=1))
        assert (await handle.status()).status is JobState.COMPLETED

    async def test_a_thread_handler_reports_through_its_context(self, app, runner):
        handle = await put(app, block, 4)
        await runner.drain()
        assert await handle.result() == 5
        names = {row.step_name: row.result for row in await app.details(TENANT, handle.job_id)}
        assert names["item"] == {"n": 4}
        assert any(name.startswith("step:once") for name in names)
        assert (await app.get_job(TENANT, handle.job_id)).progress_message == "half way"

    async def test_a_cancelled_job_never_runs(self, app, runner):
        handle = await put(app, note)
        assert await handle.cancel("not needed")
        assert await handle.cancel() is False
        await runner.drain()
        assert ran == []
        assert (await handle.status()).error == "not needed"

    async def test_an_operator_revives_a_failed_job_with_fresh_attempts(self, app, runner):
        handle = await put(app, fail)
        await runner.advance(timedelta(minutes=1))
        ran.clear()
        assert await app.retry(TENANT, handle.job_id)
        assert await app.retry(TENANT, handle.job_id) is False
        await runner.advance(timedelta(minutes=1))
        assert [attempt for _, attempt in ran] == [4, 5, 6]
        record = await app.get_job(TENANT, handle.job_id)
        assert (record.status, record.epoch) == (JobState.FAILED, 1)

    async def test_the_clock_neither_goes_back_nor_is_naive(self, runner):
        with pytest.raises(InputError, match="only goes on"):
            await runner.advance(-SECOND)
        with pytest.raises(InputError, match="cannot go back"):
            runner.store.clock.move_to(datetime(2000, 1, 1, tzinfo=UTC))
        with pytest.raises(NaiveDatetimeError):
            MovableClock(datetime(2026, 1, 1))
        before = runner.store.clock.monotonic()
        runner.store.clock.advance(SECOND)
        assert runner.store.clock.monotonic() - before == 1

    async def test_a_clock_that_runs_by_itself_cannot_be_advanced(self):
        runner = MemoryRunner(MemoryStore(), mode="manual")
        async with memory_app(runner=runner, handlers=ALL):
            with pytest.raises(ConfigurationError, match="MovableClock"):
                await runner.advance(SECOND)

    async def test_health_and_queue_sizes_tell_what_waits(self, app, runner):
        await put(app, note)
        await put(app, note, delay=60)
        await put(app, fail)
        assert await app.queue_sizes() == {"note": 2, "fail": 1}
        assert await runner.queue_sizes(["note", "heal"]) == {"note": 2, "heal": 0}
        health = await app.health()
        assert health.healthy
        assert health.queue_size == 3


class TestDeduplication:
    async def test_a_key_stands_for_one_job_until_that_has_ended(self, app, runner):
        first = await put(app, note, 1, dedupe_key="k")
        second = await put(app, note, 2, dedupe_key="k")
        assert second.deduplicated
        assert second.job_id == first.job_id
        other_tenant = await note.enqueue(app, Number(n=3), tenant="system", dedupe_key="k")
        assert not other_tenant.deduplicated
        await runner.drain()
        third = await put(app, note, 4, dedupe_key="k")
        assert not third.deduplicated

    async def test_the_same_id_sent_twice_makes_one_job(self, app, runner):
        job_id = uuid4()
        await put(app, note, 1, job_id=job_id)
        again = await put(app, note, 1, job_id=job_id)
        assert again.deduplicated
        assert await runner.drain() == 1

    async def test_a_revived_job_holds_its_key_again(self, app, runner):
        first = await put(app, note, dedupe_key="k")
        await first.cancel()
        await app.retry(TENANT, first.job_id)
        assert (await put(app, note, dedupe_key="k")).job_id == first.job_id


class TestUnitOfWork:
    async def test_jobs_appear_at_the_commit(self, app, runner):
        connection = runner.store.connection()
        async with connection.transaction():
            handle = await put(app, note, connection=connection)
            assert await app.find_jobs(TENANT) == []
            assert await runner.run_one() is None
        assert [record.job_id for record in await app.find_jobs(TENANT)] == [handle.job_id]
        assert await runner.drain() == 1

    async def test_a_rollback_leaves_no_job_and_frees_the_key(self, app, runner):
        connection = runner.store.connection()

        async def doomed() -> None:
            async with connection.transaction():
                await put(app, note, dedupe_key="k", connection=connection)
                raise RuntimeError("roll back")

        with pytest.raises(RuntimeError):
            await doomed()
        assert await app.find_jobs(TENANT) == []
        assert not (await put(app, note, dedupe_key="k")).deduplicated

    async def test_a_savepoint_undoes_only_its_own(self, app, runner):
        connection = runner.store.connection()
        committed: list[str] = []

        async def doomed() -> None:
            async with connection.transaction():
                await put(app, note, 2, connection=connection)
                connection.on_commit(lambda: committed.append("inner"))
                raise RuntimeError("inner")

        async with connection.transaction():
            await put(app, note, 1, connection=connection)
            with pytest.raises(RuntimeError):
                await doomed()
            connection.on_commit(lambda: committed.append("outer"))
        await runner.drain()
        assert ran == [("note", 1)]
        assert committed == ["outer"]

    async def test_an_enqueue_waits_for_a_transaction_that_holds_its_key(self, app, runner):
        connection = runner.store.connection()
        async with connection.transaction():
            inside = await put(app, note, 1, dedupe_key="k", connection=connection)
            assert (await put(app, note, 9, dedupe_key="k", connection=connection)).deduplicated
            outside = asyncio.create_task(put(app, note, 2, dedupe_key="k"))
            await asyncio.sleep(0)
            assert not outside.done()
        assert (await outside).job_id == inside.job_id

    async def test_a_foreign_connection_is_refused(self, app, runner):
        other = MemoryStore().connection()
        with pytest.raises(ForeignConnectionError, match="MemoryConnection"):
            await put(app, note, connection=other)
        with pytest.raises(ForeignConnectionError, match="object"):
            await put(app, note, connection=object())
        with pytest.raises(ForeignConnectionError, match="no open transaction"):
            await put(app, note, connection=runner.store.connection())

    async def test_completion_rows_and_follow_ups_commit_together(self):
        written: list[str] = []

        @job("bill")
        async def bill(ctx: JobContext, data: Number) -> None:
            async with ctx.db.transaction() as connection, ctx.complete_in(connection, result={"ok": True}):
                connection.on_commit(lambda: written.append("row"))
                await ctx.enqueue(note, Number(n=5), connection=connection)

        async with memory_app(handlers=[bill, note]) as app:
            handle = await put(app, bill)
            runner = await app.runner()
            await runner.run_one()
            assert written == ["row"]
            assert await handle.result() == {"ok": True}
            await runner.drain()
            [child] = [record for record in await app.find_jobs(TENANT) if record.type == "note"]
            assert child.parent_job_id == handle.job_id
        assert ran == [("note", 5)]

    async def test_a_job_taken_away_in_the_middle_rolls_everything_back(self):
        written: list[str] = []

        @job("bill")
        async def bill(ctx: JobContext, data: Number) -> None:
            async with ctx.db.transaction() as connection, ctx.complete_in(connection):
                connection.on_commit(lambda: written.append("row"))
                runner.store.tables.row(TENANT, ctx.job_id).lease_token = "somebody-else"

        async with memory_app(handlers=[bill]) as app:
            runner = await app.runner()
            handle = await put(app, bill)
            await runner.run_one()
            assert written == []
            assert (await handle.status()).status is JobState.PROCESSING


class TestInlineMode:
    @pytest.fixture
    async def inline(self):
        async with memory_app(mode="inline", handlers=ALL) as app:
            yield app

    async def test_the_job_has_run_when_enqueue_returns(self, inline):
        handle = await put(inline, note, 3, delay=3600)
        assert ran == [("note", 3)]
        assert await handle.result() == 3

    async def test_retries_follow_at_once(self, inline):
        handle = await put(inline, fail)
        assert (await handle.status()).status is JobState.FAILED
        assert [attempt for _, attempt in ran] == [1, 2, 3]
        ran.clear()
        await inline.retry(TENANT, handle.job_id)
        assert [attempt for _, attempt in ran] == [4, 5, 6]

    async def test_a_snoozed_job_waits(self, inline):
        handle = await put(inline, snooze)
        assert (await handle.status()).status is JobState.QUEUED

    async def test_jobs_of_a_transaction_run_after_its_commit(self, inline):
        connection = (await inline.runner()).store.connection()
        async with connection.transaction():
            await put(inline, note, 1, connection=connection)
            assert ran == []
        assert ran == [("note", 1)]

    async def test_a_duplicate_does_not_run_again(self, inline):
        job_id = uuid4()
        await put(inline, note, 1, job_id=job_id)
        await put(inline, note, 1, job_id=job_id)
        assert ran == [("note", 1)]


class TestWorkerMode:
    @pytest.fixture
    async def working(self):
        async with memory_app(mode=MemoryMode.WORKER, handlers=ALL) as app:
            worker = app.worker(concurrency=2)
            await worker.start()
            yield app
            await worker.stop(timedelta())

    async def test_a_worker_runs_jobs_as_they_come(self, working):
        handles = [await put(working, note, n) for n in range(5)]
        assert [await handle.result(timeout=5) for handle in handles] == [0, 1, 2, 3, 4]

    async def test_a_running_job_is_cancelled_through_its_signal(self, working):
        handle = await put(working, wait_for_abort)
        await until(lambda: ran)
        assert await handle.cancel("enough")
        with pytest.raises(JobCancelledError, match="enough"):
            await handle.result(timeout=5)
        status = await handle.status()
        assert (status.status, status.error) == (JobState.CANCELLED, "enough")

    async def test_no_more_jobs_run_at_once_than_allowed(self, working):
        for n in range(3):
            await put(working, wait_for_abort, n)
        await until(lambda: len(ran) == 2)
        assert (await working.queue_sizes())["wait-for-abort"] == 1

    async def test_stopping_hands_running_jobs_back(self):
        async with memory_app(mode="worker", handlers=ALL) as app:
            worker = app.worker()
            await worker.start()
            handle = await put(app, wait_for_abort)
            await until(worker.running)
            await worker.stop(timedelta(milliseconds=1))
            record = await app.get_job(TENANT, handle.job_id)
            assert (record.status, record.attempt) == (JobState.QUEUED, 0)
            assert worker.running() == []
            await worker.wait_closed()

    async def test_draining_waits_for_running_jobs_and_takes_no_more(self):
        gate = asyncio.Event()

        @job("gated")
        async def gated(ctx: JobContext, data: Number) -> int:
            await gate.wait()
            return data.n

        async with memory_app(mode="worker", handlers=[gated]) as app:
            worker = app.worker(concurrency=1)
            await worker.start()
            first, second = await put(app, gated, 1), await put(app, gated, 2)
            await until(worker.running)
            draining = asyncio.create_task(worker.drain())
            await asyncio.sleep(0)
            gate.set()
            await draining
            assert await first.result() == 1
            assert (await second.status()).status is JobState.QUEUED


def test_a_mode_that_does_not_exist_is_refused():
    with pytest.raises(ConfigurationError, match="'worker', 'inline', 'manual', not 'eager'"):
        MemoryRunner(mode="eager")


async def test_a_runner_without_an_open_application_says_so():
    with pytest.raises(ConfigurationError, match="no open application"):
        await MemoryRunner(mode="manual").advance(SECOND)


async def test_a_pause_holds_inline_jobs_back_too() -> None:
    ran: list[int] = []

    @job("plain")
    async def plain(ctx: JobContext, data: dict[str, Any]) -> None:
        ran.append(ctx.attempt)

    async with memory_app(mode="inline", handlers=[plain]) as app:
        await app.pause(handler="plain")
        handle = await app.enqueue(plain, {}, tenant="system")
        assert (await handle.status()).status == "pending"
        assert ran == []
