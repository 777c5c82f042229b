"""Limits hold for jobs that are enqueued by name, in a process that does not have the handler."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from flow_control.conftest import PATIENCE, Floor, Open, until
from jobcore import Concurrency, Dedupe, FairShare, JobApp, JobContext, JobData, JobState, RateLimit, job
from jobcore.errors import InputError
from jobcore.policies.dedupe import announce_dedupe, read_dedupe
from jobcore.policies.limits import announce_limit, read_limit

A = uuid4()


class Data(JobData):
    n: int
    account: str = "x"


@pytest.fixture
def runner_type() -> str:
    return "pgboss"  # an application in memory has no other process


async def test_what_workers_announce_holds_in_processes_without_the_handler(
    opened: Open, floor: Floor, settings: Any
) -> None:
    @job("sync", limits=[Concurrency(1, key="account")], dedupe=Dedupe("n"))
    async def sync(ctx: JobContext, data: Data) -> None:
        await floor.hold(data.n)

    await opened(sync)
    async with JobApp(settings) as web:
        first = await web.enqueue("sync", {"n": 1, "account": "x"}, tenant=A)
        again = await web.enqueue("sync", {"n": 1, "account": "x"}, tenant=A)
        second = await web.enqueue("sync", {"n": 2, "account": "x"}, tenant=A)
        await until(lambda: floor.running == [1])
        assert again.job_id == first.job_id
        assert (await second.status()).status is JobState.PENDING
        floor.let_go(1, 2)
        await second.result(timeout=PATIENCE)


async def test_a_key_that_is_a_function_is_asked_for_where_the_handler_is_known(opened: Open, settings: Any) -> None:
    @job("sync", limits=[Concurrency(1, key=lambda payload: payload["account"])])
    async def sync(ctx: JobContext, data: Data) -> None: ...

    await opened(sync)
    async with JobApp(settings) as web:
        with pytest.raises(InputError, match="enqueue it where the handler is known, or let its key be the name"):
            await web.enqueue("sync", {"n": 1, "account": "x"}, tenant=A)
        assert await web.find_jobs(A) == []


@pytest.mark.parametrize(
    "limit",
    [
        Concurrency(3, per="tenant", key="a.b", tiers={"pro": 9}, scope="s"),
        RateLimit(2.5, every=timedelta(minutes=1), burst=7),
        FairShare(weights={A: 2.0}, default=0.5),
    ],
)
def test_a_limit_reads_back_as_it_was_announced(limit: Any) -> None:
    assert read_limit("x", announce_limit(limit)) == limit


def test_a_rule_reads_back_as_it_was_announced() -> None:
    rule = Dedupe("a", "throttle", timedelta(seconds=90))
    assert read_dedupe("x", announce_dedupe(rule)) == rule


async def test_limits_hold_for_calls_that_do_not_ask_for_the_handler(
    opened: Open, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    @job("sync", limits=[Concurrency(1)])
    async def sync(ctx: JobContext, data: Data) -> None: ...

    monkeypatch.setattr("jobcore.app.announced.BELIEVED_FOR", 0.0)
    async with JobApp(settings) as web:
        await web.schedules.put("k", "sync", "1 day", {"n": 1}, tenant=A, remote=True)
        await opened(sync)  # after the other has looked
        await web.pause(handler="sync")
        by_name = await web.enqueue("sync", {"n": 1}, tenant=A, remote=True)
        by_hand = await web.schedules.trigger(A, "k")
        gates = [
            (await web.store.explain_admission(A, handle.job_id)).gates  # pyright: ignore[reportOptionalMemberAccess]
            for handle in (by_name, by_hand)
        ]
    assert [gate.gate.name for view in gates for gate in view] == ["at-once/sync"] * 2
