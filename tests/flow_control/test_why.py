"""Why a job waits for its admission, on each house runner: told by one rule, to its tenant without the others' jobs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from flow_control.conftest import PATIENCE, Floor, Open, until
from jobcore import (
    Concurrency,
    FairShare,
    JobApp,
    JobContext,
    JobData,
    JobState,
    NonRetryableError,
    RateLimit,
    RetryPolicy,
    job,
)
from jobcore.ids import uuid7
from jobcore.models import NewJob
from jobcore.ports import Reason, Severity

A, B = uuid4(), uuid4()


class Data(JobData):
    n: int = 0
    key: str = ""


@job("rare", limits=[RateLimit(1, every=timedelta(hours=1))])
async def rare(ctx: JobContext, data: Data) -> None: ...


@job("often", limits=[RateLimit(100, every=timedelta(minutes=1), burst=1)])
async def often(ctx: JobContext, data: Data) -> None: ...


async def reasons(app: JobApp, handle: Any, *, operator: bool = False) -> dict[str, Reason]:
    told = await app.why(handle.job_id, tenant=handle.tenant, for_operator=operator)
    return {reason.code: reason for reason in told.reasons}


async def reason(app: JobApp, code: str, handle: Any, *, operator: bool = False) -> Reason:
    """The reason that soon is the only one to keep the job."""
    told: dict[str, Reason] = {}

    async def is_alone() -> bool:
        told.clear()
        told.update(await reasons(app, handle, operator=operator))
        return [found for found, one in told.items() if one.severity is not Severity.INFO] == [code]

    try:
        await until(is_alone)
    except TimeoutError:
        pytest.fail(f"It is not {code} alone: {told}")
    return told[code]


@pytest.fixture
async def app(opened: Open, floor: Floor) -> AsyncGenerator[JobApp]:
    @job("plain", retry=RetryPolicy(max_attempts=1))
    async def plain(ctx: JobContext, data: Data) -> None:
        await floor.hold((ctx.tenant_id, data.n))
        if data.key == "fail" and ctx.attempt == 1:
            raise NonRetryableError("no")

    @job("two", limits=[Concurrency(2)])
    async def two(ctx: JobContext, data: Data) -> None:
        await floor.hold((ctx.tenant_id, data.n))

    @job("keyed", limits=[Concurrency(1, key="key")])
    async def keyed(ctx: JobContext, data: Data) -> None:
        await floor.hold((ctx.tenant_id, data.n))

    @job("shared", limits=[FairShare(weights={B: 3.0})])
    async def shared(ctx: JobContext, data: Data) -> None:
        await floor.hold((ctx.tenant_id, data.n))

    yield await opened(plain, two, keyed, shared, rare, often, concurrency=4)
    floor.let_go(*((tenant, n) for tenant in (A, B) for n in range(10)))


# -- pauses ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "said", "command"),
    [
        ({"queue": "plain"}, "The queue 'plain'", "`jobcore resume --queue plain`"),
        ({"handler": "plain"}, "The handler 'plain'", "`jobcore resume --handler plain`"),
        ({"tenant": A}, "Its tenant", f"`jobcore resume --tenant {A}`"),
    ],
    ids=["queue", "handler", "tenant"],
)
async def test_a_pause_is_told_with_who_why_and_since_when(
    app: JobApp, what: dict[str, Any], said: str, command: str
) -> None:
    await app.pause(**what, reason="the provider is down.", paused_by="ada")
    handle = await app.enqueue("plain", Data(), tenant=A)
    told = await reason(app, "paused", handle, operator=True)
    assert told.severity is Severity.BLOCKED
    assert told.summary.startswith(f"{said} has been paused since 20")
    assert told.summary.endswith(" by ada: the provider is down.")
    assert told.remedy == f"Let it go on: {command}."
    [fact] = told.facts["pauses"]
    assert (fact["paused_by"], fact["reason"]) == ("ada", "the provider is down.")


async def test_a_tenant_hears_who_and_why_of_its_own_pause_only(app: JobApp) -> None:
    await app.pause(queue="plain", reason="too much of acme's", paused_by="ada")
    await app.pause(tenant=A, reason="the bill is not paid", paused_by="ada")
    told = await reason(app, "paused", await app.enqueue("plain", Data(), tenant=A))
    assert "acme" not in f"{told.summary} {told.facts}"
    assert told.summary.endswith("by ada: the bill is not paid.")
    assert [pause["kind"] for pause in told.facts["pauses"]] == ["queue", "tenant"]
    other = await reason(app, "paused", await app.enqueue("plain", Data(), tenant=B))
    assert "ada" not in f"{other.summary} {other.facts}"


async def test_a_pause_of_something_else_is_not_told(app: JobApp, floor: Floor) -> None:
    for what in ({"queue": "two"}, {"handler": "two"}, {"tenant": B}):
        await app.pause(**what)
    handle = await app.enqueue("plain", Data(n=1), tenant=A, delay=60)
    assert list(await reasons(app, handle)) == ["not_due"]


# -- parents -----------------------------------------------------------------------------------------------------------


async def test_parents_that_have_not_ended_are_named_with_their_states(app: JobApp, floor: Floor) -> None:
    parents = [await app.enqueue("plain", Data(n=n), tenant=A) for n in range(4)]
    child = await app.enqueue("plain", Data(n=9), tenant=A, after=parents)
    await until(lambda: len(floor.running) == 4)
    told = await reason(app, "waits_for_jobs", child)
    assert told.severity is Severity.WAITING
    assert told.summary.startswith("It is to run after 4 jobs: plain ")
    assert told.summary.endswith(" and 1 more.") or told.summary.endswith(", 1 more.")
    assert told.facts["awaited"] == 4
    assert {parent["job_id"] for parent in told.facts["parents"]} < {str(parent.job_id) for parent in parents}
    assert len(told.facts["parents"]) == 3
    assert "`jobcore why " in told.remedy
    floor.let_go(*((A, n) for n in (0, 1, 2, 9)))
    for parent in parents[:3]:
        await parent.result(timeout=PATIENCE)

    async def one_is_left() -> bool:
        return (await reasons(app, child))["waits_for_jobs"].facts["awaited"] == 1

    await until(one_is_left)
    told = await reason(app, "waits_for_jobs", child)
    assert told.summary.startswith(f"It is to run after 1 job: plain {parents[3].job_id} (")
    assert told.remedy == f"`jobcore why {parents[3].job_id} --tenant {A}` tells what keeps it."
    floor.let_go((A, 3))
    await child.result(timeout=PATIENCE)


async def test_a_failed_parent_that_has_to_complete_blocks_until_it_is_retried(app: JobApp, floor: Floor) -> None:
    going = [await app.enqueue("plain", Data(n=n), tenant=A) for n in (1, 2, 3)]
    failing = await app.enqueue("plain", Data(n=0, key="fail"), tenant=A)
    child = await app.enqueue("plain", Data(n=9), tenant=A, after=[*going, failing], on_parent_failure="wait")
    floor.let_go((A, 0))

    async def failed() -> bool:
        return (await failing.status()).status is JobState.FAILED

    await until(failed)
    told = await reason(app, "waits_for_jobs", child)
    assert told.severity is Severity.BLOCKED
    assert told.summary.startswith(f"It is to run after 4 jobs: plain {failing.job_id} (failed), ")
    assert f"`jobcore jobs retry {failing.job_id} --tenant {A}`" in told.remedy
    assert f"`jobcore jobs cancel {child.job_id} --tenant {A}`" in told.remedy
    await app.retry(A, failing.job_id)

    async def goes_on() -> bool:
        return (await reasons(app, child))["waits_for_jobs"].severity is Severity.WAITING

    await until(goes_on)


# -- limits ------------------------------------------------------------------------------------------------------------


async def test_a_full_limit_tells_who_holds_it_and_how_many_go_first(app: JobApp, floor: Floor) -> None:
    mine = await app.enqueue("two", Data(n=0), tenant=A)
    theirs = await app.enqueue("two", Data(n=0), tenant=B)
    await until(lambda: len(floor.running) == 2)
    for tenant in (B, B, A):
        await app.enqueue("two", Data(n=1), tenant=tenant)
    last = await app.enqueue("two", Data(n=2), tenant=A)
    first = await app.enqueue("two", Data(n=3), tenant=A, priority=5)

    told = await reason(app, "limit", last, operator=True)
    assert told.severity is Severity.WAITING
    assert told.summary == (
        f"Its limit 'at-once/two' is full, 2 of 2 places: held by job {mine.job_id}, "
        f"job {theirs.job_id} of tenant {B}. 4 jobs wait before it."
    )
    assert told.facts["ahead"] == 4
    told = await reason(app, "limit", last)
    assert told.summary == (
        f"Its limit 'at-once/two' is full, 2 of 2 places: held by job {mine.job_id}, 1 other job. "
        "2 jobs of its tenant wait before it."
    )
    assert told.facts["limits"] == [
        {"limit": "at-once/two", "most": 2, "taken": 2, "of_this_tenant": 1, "held_by": [str(mine.job_id)]}
    ]
    assert "ahead" not in told.facts
    assert str(B) not in f"{told.summary} {told.facts}"
    assert (await reason(app, "limit", first)).summary.endswith("1 other job.")
    floor.let_go(*((tenant, n) for tenant in (A, B) for n in range(4)))
    await last.result(timeout=PATIENCE)


async def test_a_tenant_without_a_place_is_told_of_others_without_their_names(app: JobApp, floor: Floor) -> None:
    for n in (0, 1):
        await app.enqueue("two", Data(n=n), tenant=B)
    await until(lambda: len(floor.running) == 2)
    for n in (2, 3):
        await app.enqueue("two", Data(n=n), tenant=B)
    told = await reason(app, "limit", await app.enqueue("two", Data(n=0), tenant=A))
    assert told.summary == "Its limit 'at-once/two' is full, 2 of 2 places: held by 2 jobs. Others wait before it."
    assert told.facts["ahead_of_this_tenant"] == 0


async def test_limits_by_key_are_told_apart(app: JobApp, floor: Floor) -> None:
    holder = await app.enqueue("keyed", Data(n=0, key="one"), tenant=A)
    await app.enqueue("keyed", Data(n=1, key="two"), tenant=A)
    await until(lambda: len(floor.running) == 2)
    told = await reason(app, "limit", await app.enqueue("keyed", Data(n=2, key="one"), tenant=A))
    assert told.summary == (f"Its limit 'at-once/keyed/{A}/one' is full, 1 of 1 place: held by job {holder.job_id}.")


async def test_a_delayed_job_with_limits_waits_for_its_time_only(app: JobApp, floor: Floor) -> None:
    for n in (0, 1):
        await app.enqueue("two", Data(n=n), tenant=A)
    await until(lambda: len(floor.running) == 2)
    handle = await app.enqueue("two", Data(n=2), tenant=A, delay=3_600)
    told = await reason(app, "not_due", handle)
    assert told.summary.startswith("It waits for its time, at ")
    assert told.summary.endswith(", in 60 min.")


# -- rates and shares --------------------------------------------------------------------------------------------------


async def test_a_rate_that_is_used_up_tells_when_the_next_may_begin(app: JobApp) -> None:
    await (await app.enqueue(rare, Data(), tenant=B)).result(timeout=PATIENCE)
    handle = await app.enqueue(rare, Data(), tenant=A)
    told = await reason(app, "rate", handle, operator=True)
    assert told.severity is Severity.WAITING
    assert told.summary == "Its rate 'rate/rare', 1 an hour, is used up: the next job may begin in 60 min."
    assert 3_590 < told.facts["next_in"] < 3_600
    second = await app.enqueue(rare, Data(), tenant=A)
    assert (await reason(app, "rate", second)).summary.endswith(" 1 job of its tenant waits before it.")


async def test_a_fast_rate_is_told_by_the_minute(app: JobApp) -> None:
    handles = [await app.enqueue(often, Data(n=n), tenant=A) for n in range(20)]
    told = await reason(app, "rate", handles[-1])
    assert "Its rate 'rate/often', 1.667 a second, is used up: the next job may begin in 0." in told.summary


async def test_a_share_tells_how_much_of_the_engine_its_tenant_has(app: JobApp, floor: Floor) -> None:
    for n in range(7):
        await app.enqueue("shared", Data(n=n), tenant=A)
    for n in range(7):
        await app.enqueue("shared", Data(n=n), tenant=B)
    last = await app.enqueue("shared", Data(n=9), tenant=A)

    async def waits() -> bool:
        return "fair_share" in await reasons(app, last)

    await until(waits)
    told = await reason(app, "fair_share", last, operator=True)
    assert told.severity is Severity.WAITING
    of_this_tenant = told.facts["of_this_tenant"]
    assert told.facts["most"] == 10
    assert 0 < of_this_tenant < 10
    assert told.summary.startswith(
        "It waits for its tenant's turn: the 10 places that tenants share in the engine are taken, "
        f"{of_this_tenant} of them by its tenant, whose weight is 1."
    )
    assert str(B) not in f"{told.summary} {told.facts}"


# -- what else is said -------------------------------------------------------------------------------------------------


async def test_a_job_that_was_only_recorded_is_told_as_such_and_one_that_waits_is_not(
    app: JobApp, floor: Floor, runner_type: str
) -> None:
    plan = NewJob(job_id=uuid7(), tenant=A, name="plain", payload=b"{}", runner_type=runner_type, queue="plain")
    await app.store.create_job(plan)
    assert (await reason(app, "not_enqueued", app.handle(A, plan.job_id))).severity is Severity.BLOCKED
    await app.pause(queue="two")
    handle = await app.enqueue("two", Data(), tenant=A)
    assert list(await reasons(app, handle)) == ["paused"]


async def test_without_a_worker_nobody_admits_and_that_is_told_too(opened: Open) -> None:
    app = await opened(rare, workers=0)
    handle = await app.enqueue(rare, Data(), tenant=A)
    assert list(await reasons(app, handle)) == ["no_worker"]


async def test_a_job_whose_key_was_taken_over_no_longer_stands_for_it(app: JobApp, floor: Floor) -> None:
    first = await app.enqueue("plain", Data(n=0), tenant=A, dedupe_key="k")
    await until(lambda: len(floor.running) == 1)
    assert "dedupe_key" in await reasons(app, first)
    second = await app.enqueue("plain", Data(n=1), tenant=A, dedupe_key="k", on_conflict="replace")
    assert "dedupe_key" not in await reasons(app, first)
    assert "dedupe_key" in await reasons(app, second)


async def test_a_job_that_runs_or_has_ended_waits_for_nothing(app: JobApp, floor: Floor) -> None:
    handle = await app.enqueue("two", Data(n=0), tenant=A)
    await until(lambda: len(floor.running) == 1)
    await app.pause(queue="two")

    async def told(code: str) -> bool:
        return list(await reasons(app, handle)) == [code]

    await until(lambda: told("running"))
    floor.let_go((A, 0))
    await handle.result(timeout=PATIENCE)
    assert await told("ended")
