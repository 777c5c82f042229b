"""The testing kit, as a user's test suite would use it."""

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest

from jobcore import Cancel, JobContext, JobData, JobState, Snooze, job
from jobcore.errors import JobFailedError, PayloadInvalidError
from jobcore.testing import assert_enqueued, assert_not_enqueued, memory_app, run_job

pytest_plugins = ["pytester"]

TENANT = uuid4()


class Data(JobData):
    n: int = 0


class Mailer:
    def __init__(self):
        self.sent: list[int] = []


@job("child")
async def child(ctx: JobContext, data: Data) -> None:
    pass


@job("full")
async def full(ctx: JobContext, data: Data) -> int:
    await ctx.progress(50, "half")
    await ctx.detail("item", "done")
    if Mailer in ctx.services:
        ctx.services.get(Mailer).sent.append(data.n)
    await ctx.enqueue(child, Data(n=1))
    return ctx.attempt


@job("raises")
async def raises(ctx: JobContext, data: Data) -> None:
    raise [ValueError("no"), Snooze(timedelta(1)), Cancel("no")][data.n]


@job("slow", timeout=timedelta(milliseconds=20))
async def slow(ctx: JobContext, data: Data) -> None:
    await asyncio.Event().wait()


@job("polite")
async def polite(ctx: JobContext, data: Data) -> str:
    return f"stopped: {ctx.signal.reason}" if ctx.signal.aborted else "ran"


@job("threaded")
def threaded(ctx: JobContext, data: Data) -> int:
    return ctx.blocking.step("s", lambda: data.n)


class TestRunJob:
    async def test_a_handler_runs_with_a_full_context(self):
        mailer = Mailer()
        run = await run_job(full, Data(n=3), tenant=TENANT, attempt=4, services=[mailer], handlers=[child])
        assert run.result == 4
        assert mailer.sent == [3]
        assert (run.record.status, run.record.tenant) == (JobState.COMPLETED, TENANT)
        assert [detail.step_name for detail in run.details] == ["item"]
        assert [record.type for record in run.enqueued] == ["child"]

    async def test_the_payload_may_name_the_tenant(self):
        assert (await run_job(polite, Data(tenant_id=TENANT))).record.tenant == TENANT
        assert (await run_job(polite, Data())).record.tenant.int == 0

    @pytest.mark.parametrize(("n", "kind"), [(0, ValueError), (1, Snooze), (2, Cancel)])
    async def test_what_the_handler_raises_is_raised(self, n, kind):
        with pytest.raises(kind):
            await run_job(raises, Data(n=n))

    async def test_a_handler_that_runs_past_its_time_fails(self):
        with pytest.raises(JobFailedError, match="time-out"):
            await run_job(slow, Data())

    async def test_a_cancelled_job_finds_its_signal_aborted(self):
        assert (await run_job(polite, Data(), cancelled="enough")).result == "stopped: enough"

    async def test_a_thread_handler_runs_too(self):
        assert (await run_job(threaded, Data(n=8))).result == 8

    async def test_a_payload_that_does_not_fit_is_refused(self):
        with pytest.raises(PayloadInvalidError):
            await run_job(child, {"n": "many"})


class TestAssertions:
    @pytest.fixture
    async def app(self):
        async with memory_app(handlers=[child, full]) as app:
            await child.enqueue(app, Data(n=1), tenant=TENANT, priority=5)
            await child.enqueue(app, Data(n=2), tenant="system")
            yield app

    async def test_what_was_enqueued_is_found(self, app):
        assert (await assert_enqueued(app, child, {"n": 1})).priority == 5
        assert (await assert_enqueued(app, "child", Data(n=2), status="queued")).payload["n"] == 2
        await assert_enqueued(app, child, count=2)
        await assert_enqueued(app, child, tenant=TENANT, count=1)
        await assert_not_enqueued(app, full)
        await assert_not_enqueued(app, child, {"n": 3})

    async def test_a_failure_lists_what_was_enqueued(self, app):
        with pytest.raises(AssertionError, match=r"Expected a job 'child' with n=3; 0 match. Enqueued: child .*'n': 2"):
            await assert_enqueued(app, child, {"n": 3})
        with pytest.raises(AssertionError, match="Expected 3 jobs 'child' with any payload; 2 match"):
            await assert_enqueued(app, child, count=3)
        with pytest.raises(AssertionError, match="there is child"):
            await assert_not_enqueued(app, child, priority=5)


def test_the_fixtures_serve_a_suite_that_opts_in(pytester: pytest.Pytester):
    pytester.makeconftest('pytest_plugins = ["jobcore.testing.fixtures"]')
    pytester.makepyfile(
        """
        import pytest
        from datetime import timedelta
        from jobcore import JobContext, JobData, job
        from jobcore.errors import ConfigurationError
        from jobcore.testing import assert_enqueued

        class Reminder(JobData):
            client: str

        @job("send-reminder")
        async def send_reminder(ctx: JobContext, data: Reminder) -> str:
            return data.client

        @pytest.fixture
        def jobcore_handlers():
            return [send_reminder]

        async def test_manual(jobcore_app, job_runner, jobcore_clock):
            before = jobcore_clock.now()
            handle = await send_reminder.enqueue(jobcore_app, Reminder(client="c-1"), tenant="system", delay=60)
            await assert_enqueued(jobcore_app, send_reminder, {"client": "c-1"})
            assert await job_runner.drain() == 0
            await job_runner.advance(timedelta(minutes=1))
            assert await handle.result() == "c-1"
            assert jobcore_clock.now() - before == timedelta(minutes=1)

        class TestWorker:
            @pytest.fixture
            def jobcore_mode(self):
                return "worker"

            async def test_trigger_and_wait(self, jobcore_app):
                handle = await send_reminder.enqueue(jobcore_app, Reminder(client="c-2"), tenant="system")
                assert await handle.result(timeout=5) == "c-2"

            async def test_no_clock(self, request, job_runner):
                assert job_runner.mode == "worker"
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--asyncio-mode=auto", "-p", "no:jobcore_devkit")
    result.assert_outcomes(passed=3)
