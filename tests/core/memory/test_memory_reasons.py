"""What the memory engine knows of jobs that do not run."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from jobcore import JobApp, JobContext, JobData, RetryPolicy, Snooze, job
from jobcore.ports import Reason, Severity
from jobcore.testing import memory_app

TENANT, OTHER = uuid4(), uuid4()


@job("poll")
async def poll(ctx: JobContext, data: JobData) -> None:
    raise Snooze(for_=timedelta(minutes=1))


@job("stumble", retry=RetryPolicy(max_attempts=3, initial_interval=timedelta(seconds=20)))
async def stumble(ctx: JobContext, data: JobData) -> None:
    raise ValueError("no luck\nand more")


@job("ask")
async def ask_why(ctx: JobContext, data: JobData) -> dict[str, Any]:
    app: JobApp = ctx.services.get(JobApp)
    await ctx.progress(40, "half of it")
    return {reason.code: reason.summary for reason in (await app.why(ctx.job_id, tenant=ctx.tenant_id)).reasons}


@pytest.fixture
async def app() -> AsyncGenerator[JobApp]:
    async with memory_app(handlers=[poll, stumble, ask_why]) as app:
        app.services.add(app)
        yield app


async def reasons(app: JobApp, handle: Any, **options: Any) -> dict[str, Reason]:
    explanation = await app.why(handle.job_id, tenant=handle.tenant, **options)
    return {reason.code: reason for reason in explanation.reasons}


async def test_in_manual_mode_the_test_is_told_what_to_call(app: JobApp) -> None:
    reason = (await reasons(app, await app.enqueue(poll, JobData(), tenant=TENANT)))["no_worker"]
    assert "manual mode" in reason.summary
    assert "drain()" in reason.remedy


async def test_in_inline_mode_a_snoozed_job_waits_for_nobody() -> None:
    async with memory_app(handlers=[poll], mode="inline") as app:
        assert (
            "inline mode"
            in (await reasons(app, await app.enqueue(poll, JobData(), tenant=TENANT)))["no_worker"].summary
        )


async def test_a_delay_is_told_by_the_stores_clock(app: JobApp) -> None:
    reason = (await reasons(app, await app.enqueue(poll, JobData(), tenant=TENANT, delay=3_600)))["not_due"]
    assert reason.severity is Severity.WAITING
    assert reason.summary == "It waits for its time, at 2026-01-01 01:00:00Z, in 60 min."


async def test_a_retry_is_told_with_its_time_and_the_last_error(app: JobApp) -> None:
    runner: Any = await app.runner()
    handle = await app.enqueue(stumble, JobData(), tenant=TENANT)
    await runner.run_one()
    reason = (await reasons(app, handle))["not_due"]
    assert "its next attempt, 2 of 3" in reason.summary
    assert reason.summary.endswith("ended with ValueError: no luck")


async def test_jobs_ahead_are_counted_for_operators_and_for_tenants_their_own(app: JobApp) -> None:
    for tenant in (TENANT, OTHER, OTHER):
        await app.enqueue(poll, JobData(), tenant=tenant)
    await app.enqueue(poll, JobData(), tenant=TENANT, delay=60)
    handle = await app.enqueue(poll, JobData(), tenant=TENANT)
    urgent = await app.enqueue(poll, JobData(), tenant=TENANT, priority=5)
    of_operator, of_tenant = await reasons(app, handle, for_operator=True), await reasons(app, handle)
    assert of_operator["jobs_ahead"].summary.startswith("4 jobs of the queue stand before it")
    assert of_tenant["jobs_ahead"].summary.startswith("2 jobs of its tenant stand before it")
    assert of_tenant["jobs_ahead"].facts == {"of_this_tenant": 2}
    assert "jobs_ahead" not in await reasons(app, urgent)


async def test_a_running_job_tells_how_far_it_is(app: JobApp) -> None:
    runner: Any = await app.runner()
    handle = await app.enqueue(ask_why, JobData(), tenant=TENANT)
    await runner.run_one()
    told = (await app.get_job(TENANT, handle.job_id)).result
    assert told == {"running": "It is running since 2026-01-01 00:00:00Z, attempt 1 of 3, at 40 %."}
