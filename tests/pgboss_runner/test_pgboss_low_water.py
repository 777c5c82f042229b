"""Where dead rows lie in a fetch's way: it looks at what is new, and now and then at everything."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from jobcore.models import Outcome
from jobcore_pgboss import low_water
from jobcore_pgboss.low_water import EVERYTHING, MARGIN, REST, SLOW, LowWater
from pgboss_runner.harness import Again, App, TrivialExecutor, eventually


def looked(mark: LowWater, *seconds: float, claimed: int = 0, left_some: bool = False) -> float:
    """Looks at everything, one a second, that take so long; return when the last ended."""
    now = 100.0
    for took in seconds:
        mark.saw_everything(now, now + took, claimed, left_some=left_some)
        now += 1.0
    return now - 1.0 + seconds[-1]


def test_quick_looks_always_see_everything() -> None:
    mark = LowWater()
    end = looked(mark, *[SLOW / 2] * 20)
    assert mark.look_back(end) == EVERYTHING


def test_slow_looks_become_rare_and_those_between_go_back_to_the_last_of_them() -> None:
    mark = LowWater()
    end = looked(mark, *[2 * SLOW] * 5)
    assert mark.look_back(end) == pytest.approx(2 * SLOW + MARGIN, abs=0.001)
    assert mark.look_back(end + 1) == pytest.approx(2 * SLOW + 1 + MARGIN)
    assert mark.look_back(end + REST + 0.001) == EVERYTHING


def test_a_look_that_takes_long_for_its_many_claims_is_not_slow() -> None:
    mark = LowWater()
    end = looked(mark, *[2 * SLOW] * 20, claimed=300)
    assert mark.look_back(end) == EVERYTHING


def test_a_single_slow_look_says_nothing() -> None:
    mark = LowWater()
    end = looked(mark, SLOW / 2, SLOW / 2, 1.0, SLOW / 2, 1.0)
    assert mark.look_back(end) == EVERYTHING


def test_a_look_that_leaves_jobs_behind_sets_no_mark() -> None:
    mark = LowWater()
    looked(mark, *[2 * SLOW] * 5)
    end = looked(mark, 2 * SLOW, left_some=True)
    assert mark.look_back(end) == EVERYTHING


def test_what_is_known_to_wait_below_the_mark_is_looked_for() -> None:
    mark = LowWater()
    end = looked(mark, *[2 * SLOW] * 5)
    mark.forget()
    assert mark.look_back(end) == EVERYTHING


async def test_a_recent_fetch_passes_older_jobs_by_but_for_queues_with_a_policy(app: App) -> None:
    old, new = (await app.enqueue())[0], (await app.enqueue())[0]
    await app.rows("update pgboss.job set created_on = now() - interval '1 hour' where id = %s returning id", old)
    fetch = "select job_id from jobcore.pgboss_fetch_recent('{noop}', 1, 300, 60)"
    assert await app.rows(fetch) == [{"job_id": new}]
    assert await app.rows(fetch) == []
    await app.rows("delete from pgboss.job where id = %s returning id", new)
    await app.rows("update pgboss.queue set policy = 'singleton' where name = 'noop' returning name")
    await app.rows("update pgboss.job set policy = 'singleton' where id = %s returning id", old)
    assert await app.rows(fetch) == [{"job_id": old}]


async def test_jobs_that_come_back_below_the_mark_are_found(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(low_water, "SLOW", -1)  # every look is slow
    monkeypatch.setattr(low_water, "MARGIN", 0)
    monkeypatch.setattr(low_water, "REST", 2.0)
    attempts: list[int] = []

    async def work(claim: Any, *_: Any) -> Any:
        attempts.append(claim.attempt)
        if claim.attempt == 1:
            return Again(Outcome.RETRY, timedelta(milliseconds=300))
        return None

    async with app.working(TrivialExecutor({"noop": work})):
        for _ in range(8):
            count = len(attempts)
            await app.enqueue()
            await eventually(lambda count=count: _is(len(attempts) > count))
        await eventually(lambda: _is(sorted(attempts) == [1] * 8 + [2] * 8))


async def _is(condition: bool) -> bool:
    return condition
