"""Temporal goes away, in many ways: it is noticed, nothing is refused, and every job ends once, on one engine."""

from __future__ import annotations

import asyncio
import itertools
import time
from datetime import timedelta

import pytest

from jobcore.states import JobState
from jobcore_devkit.lane import Lane
from jobcore_devkit.temporal import TemporalServer
from jobcore_temporal import pollers
from temporal_runner.outages import FAULTS, WITH_FALLBACK, Outage, at_work, reachable, works

NOTICED = 2.0
"""Seconds until an outage is told, at most."""


@pytest.mark.parametrize("fault", FAULTS)
async def test_an_outage_is_noticed_soon_though_nothing_is_to_be_done(
    database_dsn: str, server: TemporalServer, lane: Lane, fault: str
) -> None:
    async with at_work(database_dsn, server, lane) as outage:
        assert await outage.begins(fault) <= NOTICED
        await outage.ends(fault)


@pytest.mark.parametrize("fault", ["black hole", "refused"])
async def test_a_worker_that_starts_without_temporal_says_so_and_works_once_it_is_there(
    database_dsn: str, server: TemporalServer, lane: Lane, fault: str
) -> None:
    async with reachable(database_dsn, server, lane) as outage:
        FAULTS[fault][0](outage)
        await outage.enqueue()
        began = time.monotonic()
        async with outage.site.working(queues=[works.queue]):
            assert await outage.noticed() - began <= NOTICED + 0.5
            await outage.ends(fault)
            await outage.assert_each_ended_once()


@pytest.mark.parametrize("fault", FAULTS)
async def test_without_a_fallback_jobs_wait_in_the_outbox_and_each_ends_once(
    database_dsn: str, server: TemporalServer, lane: Lane, fault: str
) -> None:
    async with at_work(database_dsn, server, lane) as outage:
        await outage.enqueue(3, seconds=1)
        await outage.enqueue(3, delay=1.5)
        burst = asyncio.create_task(outage.enqueue(20))
        await outage.begins(fault)
        await burst
        waiting = await outage.enqueue(5)
        health = await outage.site.app.health()
        assert not health.healthy
        assert "jobs wait in the outbox" in health.detail
        assert {(await job.status()).status for job in waiting} == {JobState.QUEUED}
        await outage.ends(fault)
        await outage.assert_each_ended_once()
        assert (await outage.site.app.health()).healthy
        assert outage.slowest <= NOTICED
        assert [word for word, _ in outage.reporter.told] == ["degraded", "recovered"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_with_the_fallback_jobs_run_on_it_until_temporal_is_back(
    database_dsn: str, server: TemporalServer, lane: Lane, fault: str
) -> None:
    async with at_work(database_dsn, server, lane, **WITH_FALLBACK) as outage:
        await outage.enqueue(3, seconds=1)
        burst = asyncio.create_task(outage.enqueue(20))
        await outage.begins(fault)
        await burst
        moved = await outage.enqueue(5)
        for record in await outage.site.all_ended(moved):
            assert (record.runner_type, record.metadata["fallback_from"]) == ("pgboss", "temporal")
        assert "jobs run on pgboss" in (await outage.site.app.health()).detail
        await outage.ends(fault)
        for record in await outage.site.all_ended(await outage.enqueue(3)):
            assert (record.runner_type, record.metadata.get("fallback_from")) == ("temporal", None)
        await outage.assert_each_ended_once()
        assert outage.slowest <= NOTICED


async def test_no_schedule_fires_twice_or_is_missed_over_an_outage_with_the_fallback(
    database_dsn: str, server: TemporalServer, lane: Lane
) -> None:
    async with at_work(database_dsn, server, lane, **WITH_FALLBACK) as outage:
        site = outage.site
        await site.app.schedule("every-second", works, "1 second", {}, tenant=site.tenant)
        await site.until(lambda: outage.fires("temporal", 2), "it fires on Temporal")
        await outage.begins("black hole")
        await site.until(lambda: outage.fires("pgboss", 3), "it fires on the fallback")
        await outage.ends("black hole")
        await site.until(lambda: outage.fires("temporal", 4), "it fires on Temporal again")
        await site.app.schedules.remove(site.tenant, "every-second")
        times = [fire_time for fire_time, _ in await outage.fired()]
        assert {later - earlier for earlier, later in itertools.pairwise(times)} == {timedelta(seconds=1)}
        await outage.assert_each_ended_once()


async def test_a_namespace_that_is_yet_to_be_made_fails_no_job(
    database_dsn: str,
    server: TemporalServer,
    lane: Lane,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(pollers, "PAUSE", 0.01)
    async with reachable(database_dsn, server, lane, temporal={"namespace": "to-be-made"}) as outage:
        [job] = await outage.enqueue()
        async with outage.site.working(queues=[works.queue]):
            await outage.site.until(lambda: handed_over_in_vain(outage), "Temporal does not take it")
            assert (await job.status()).status is JobState.QUEUED
            assert caplog.text.count("cannot be reached, and is tried again") == 1
            await asyncio.to_thread(server.create_namespace, "to-be-made")
            await outage.assert_each_ended_once()


async def handed_over_in_vain(outage: Outage) -> bool:
    """Whether an entry of the outbox says why it was not taken."""
    async with outage.site.harness.transaction(outage.site.app) as connection:
        cursor = await connection.execute("select count(*) from jobcore.outbox where error like '%%to-be-made%%'")
        return (await cursor.fetchone())[0] == 1


async def test_a_job_that_temporal_will_never_take_fails_with_the_reason(
    database_dsn: str, server: TemporalServer, lane: Lane
) -> None:
    """Such as one that another engine had taken, and that was moved."""
    async with reachable(database_dsn, server, lane) as outage:
        job = await outage.site.enqueue(works)
        async with outage.site.harness.transaction(outage.site.app) as connection:
            await connection.execute("update jobs set queue = '/_sys/moved' where job_id = %s", (job.job_id,))
        async with outage.site.working(queues=[works.queue]):
            record = await outage.site.ended(job, JobState.FAILED)
            assert record.error is not None
            assert record.error["type"] == "HandoverRefusedError"
            assert "reserved prefix" in record.error["message"]
