"""What a new job does where another one holds its dedupe key."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from flow_control.conftest import PATIENCE, Floor, Open, until
from jobcore import (
    Dedupe,
    JobApp,
    JobContext,
    JobData,
    JobState,
    job,
    make_singleton_job,
    make_superseding_job,
)
from jobcore.errors import InputError, JobCancelledError
from jobcore.policies.dedupe import InvalidDedupeError

A, B = uuid4(), uuid4()


class Data(JobData):
    n: int
    account: str = "x"


@pytest.fixture
async def app(opened: Open, floor: Floor) -> JobApp:
    @job("work")
    async def work(ctx: JobContext, data: Data) -> int:
        async with floor.passing(data.n):
            await asyncio.wait(
                [asyncio.ensure_future(ctx.signal.wait()), asyncio.ensure_future(floor.opened(data.n))],
                return_when=asyncio.FIRST_COMPLETED,
            )
        return data.n

    return await opened(work)


async def _enqueue(app: JobApp, n: int, rule: str | None = None, **options: Any) -> Any:
    options = {"tenant": A, "dedupe_key": "k", **options}
    return await app.enqueue("work", Data(n=n), on_conflict=rule, **options)


async def test_of_many_at_once_the_last_one_stands(app: JobApp, floor: Floor) -> None:
    floor.let_go(*range(20))
    handles = await asyncio.gather(*(_enqueue(app, n, "supersede") for n in range(20)))
    assert len({handle.job_id for handle in handles}) == 20

    async def all_ended() -> bool:
        return all([(await handle.status()).status.is_terminal for handle in handles])

    await until(all_ended)
    ends = [(await handle.status()).status for handle in handles]
    assert JobState.FAILED not in ends
    assert JobState.COMPLETED in ends


async def test_the_guides_superseding_job_keys_its_payload_by_a_function(opened: Open, floor: Floor) -> None:
    async def sync(ctx: JobContext, data: Data) -> None:
        async with floor.passing(data.n):
            await ctx.signal.wait()

    app = await opened(make_superseding_job("sync", sync, lambda payload: payload["account"]))
    older = await app.enqueue("sync", Data(n=0), tenant=A)
    other = await app.enqueue("sync", Data(n=1, account="y"), tenant=A)
    await until(lambda: len(floor.running) == 2)
    newer = await app.enqueue("sync", Data(n=2), tenant=A)
    with pytest.raises(JobCancelledError, match="superseded"):
        await older.result(timeout=PATIENCE)
    assert (await other.status()).status is not JobState.CANCELLED
    for handle in (newer, other):
        await handle.cancel()


async def test_the_guides_singleton_job_never_runs_twice_at_once(opened: Open, floor: Floor) -> None:
    async def sync(ctx: JobContext, data: Data) -> None:
        async with floor.passing(data.n):
            await ctx.heartbeat()

    app = await opened(make_singleton_job("sync", sync), workers=2)
    handles = await app.enqueue_many("sync", [Data(n=n) for n in range(20)], tenant=A)
    for handle in handles:
        await handle.result(timeout=PATIENCE)
    assert floor.most == 1


async def test_a_handler_says_the_rule_for_its_jobs_and_a_call_may_say_another(opened: Open, floor: Floor) -> None:
    @job("work", dedupe=Dedupe("account", "throttle", timedelta(hours=1)))
    async def work(ctx: JobContext, data: Data) -> None: ...

    app = await opened(work)
    first = await app.enqueue(work, Data(n=0), tenant=A)
    again = await app.enqueue(work, Data(n=1), tenant=A)
    other = await app.enqueue(work, Data(n=2, account="y"), tenant=A)
    named = await app.enqueue(work, Data(n=3), tenant=A, dedupe_key="mine", on_conflict="supersede")
    assert again.job_id == first.job_id
    assert len({first.job_id, other.job_id, named.job_id}) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_conflict": "supersede"}, "about jobs with the same dedupe_key, and there is none"),
        ({"dedupe_key": "k", "on_conflict": "ignore"}, "on_conflict is one of 'skip', 'replace'"),
        ({"dedupe_key": "k", "on_conflict": "throttle"}, "'throttle' needs a window"),
        ({"dedupe_key": "k", "on_conflict": "supersede", "window": 1}, "'supersede' has no window"),
        ({"dedupe_key": "k", "on_conflict": "debounce", "window": 1, "delay": 2}, "neither delay nor run_at"),
    ],
)
async def test_options_that_cannot_be_meant_are_refused(app: JobApp, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        await app.enqueue("work", Data(n=0), tenant=A, **options)
    assert await app.find_jobs(A) == []


def test_a_rule_of_a_handler_that_cannot_be_meant_is_refused() -> None:
    with pytest.raises(InvalidDedupeError, match="Dedupe: on_conflict='throttle' needs a window"):
        Dedupe("account", "throttle")


@pytest.mark.parametrize("rule", ["supersede", "replace"])
async def test_to_say_a_displaced_job_again_displaces_nobody(app: JobApp, rule: str) -> None:
    job_id = uuid4()
    older = await _enqueue(app, 0, rule, job_id=job_id, delay=3600)
    newer = await _enqueue(app, 1, rule, delay=3600)
    again = await _enqueue(app, 0, rule, job_id=job_id, delay=3600)
    assert again.job_id == job_id
    assert (await older.status()).status is JobState.CANCELLED
    assert (await newer.status()).status is JobState.QUEUED


async def test_calls_at_once_each_keep_to_their_own_rule(app: JobApp) -> None:
    standing = await _enqueue(app, 0, delay=3600)
    other = await _enqueue(app, 1, delay=3600, dedupe_key="other")
    skipped, newer, _ = await asyncio.gather(
        _enqueue(app, 2, delay=3600),
        _enqueue(app, 3, "supersede", delay=3600, dedupe_key="other"),
        _enqueue(app, 4, delay=3600, dedupe_key=None),
    )
    assert skipped.deduplicated
    assert skipped.job_id == standing.job_id
    assert not newer.deduplicated
    assert (await standing.status()).status is JobState.QUEUED
    assert (await other.status()).status is JobState.CANCELLED


async def test_a_call_for_many_keeps_the_last_of_each_key(opened: Open) -> None:
    @job("work", dedupe=Dedupe("account", "supersede"))
    async def work(ctx: JobContext, data: Data) -> None: ...

    app = await opened(work, workers=0)
    data = [Data(n=n, account=account) for n, account in enumerate("xyxy")]
    older, newer = [await app.enqueue_many(work, data, tenant=A) for _ in range(2)]
    states = [(await handle.status()).status for handle in (*older, *newer)]
    assert states == [JobState.CANCELLED] * 6 + [JobState.QUEUED] * 2
    assert len({handle.job_id for handle in (*older, *newer)}) == 8
