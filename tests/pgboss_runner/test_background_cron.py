"""pg-boss's own schedules, fired by workers of ours beside real Nodes."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobcore_devkit.postgres import PostgresServer
from jobcore_pgboss.duties.occurrences import BossSchedule
from pgboss_runner.harness import App, TrivialExecutor, eventually, noop, opened
from pgboss_runner.supervised import busy, node_boss, node_dsn_of

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
CRONLESS = busy(enabled=False)


def schedule(cron: str, timezone: str = "UTC", *, catches_up: bool = False, kind: str = "cron") -> BossSchedule:
    return BossSchedule("queue", "", kind, cron, timezone, LONG_AGO, catches_up)


async def store(app: App, queue: str, cron: str, **columns: Any) -> None:
    """Write a schedule as Node's `schedule` does."""
    await app.rows('select pgboss.create_queue(%s, \'{"policy": "standard"}\')', queue)
    row = {"key": "", "timezone": "UTC", "data": None, "options": "{}", "kind": "cron", **columns}
    await app.rows(
        "insert into pgboss.schedule (name, cron, key, timezone, data, options, kind)"
        " values (%s, %s, %s, %s, %s, %s, %s) returning name",
        queue,
        cron,
        *row.values(),
    )


@pytest.mark.node
async def test_a_fire_with_two_nodes_and_two_pythons_happens_exactly_once(
    app: App, postgres_server: PostgresServer
) -> None:
    dsn = node_dsn_of(app, postgres_server)
    intervals = {"cronMonitorIntervalSeconds": 1, "cronWorkerIntervalSeconds": 1}
    executor = TrivialExecutor({"every-minute": noop})
    async with (
        node_boss(dsn, **intervals) as node,
        node_boss(dsn, **intervals),
        opened(app.dsn, supervision=CRONLESS) as first,
        first.working(executor),
        opened(app.dsn, supervision=CRONLESS) as second,
        second.working(executor),
    ):
        await node.call("createQueue", "every-minute")
        for key, timezone in (("utc", "UTC"), ("paris", "Europe/Paris")):
            await node.call("schedule", "every-minute", "* * * * *", {"by": key}, {"key": key, "tz": timezone})
        await eventually(lambda: full_minutes(app, datetime.min.replace(tzinfo=UTC), 1), seconds=30)
        begun = datetime.now(UTC)
        await eventually(lambda: full_minutes(app, begun, 1), seconds=80)
        await eventually(lambda: nothing_waits(app), seconds=20)
        await eventually(lambda: all_worked(app), seconds=20)

    filed = await app.rows(
        "select data ->> 'key' as key, singleton_on, state::text, count(*) over () as n from pgboss.job"
        " where name = '__pgboss__send-it' order by 1, 2"
    )
    sent = await app.rows("select payload ->> 'by' as key from public.jobs where type = 'every-minute'")
    minutes = {row["singleton_on"] for row in filed}
    assert len(minutes) >= 2
    assert Counter((row["key"], row["singleton_on"]) for row in filed) == {
        (key, minute): 1 for key in ("utc", "paris") for minute in minutes
    }
    assert {row["state"] for row in filed} == {"completed"}
    assert Counter(row["key"] for row in sent) == dict.fromkeys(("utc", "paris"), len(minutes))
    assert len(executor.started) == len(sent)


async def full_minutes(app: App, begun: datetime, wanted: int) -> bool:
    """Whether so many whole minutes began since, and their fires are filed for both schedules."""
    rows = await app.rows(
        "select singleton_on from pgboss.job where name = '__pgboss__send-it' group by 1 having count(*) = 2"
    )
    return len([row for row in rows if row["singleton_on"].replace(tzinfo=UTC) > begun]) >= wanted


async def nothing_waits(app: App) -> bool:
    return not await app.rows("select from pgboss.job where name = '__pgboss__send-it' and state <> 'completed'")


async def all_worked(app: App) -> bool:
    return not await app.rows("select from pgboss.job where name = 'every-minute' and state < 'completed'")


async def test_a_schedule_fires_where_there_is_no_node(app: App) -> None:
    await store(app, "alone", "* * * * * *", data='{"n": 1}', key="second")
    executor = TrivialExecutor({"alone": noop})
    async with opened(app.dsn, supervision=CRONLESS) as firing, firing.working(executor):
        await executor.wait_started(1)
        (job,) = await app.rows("select * from pgboss.job where name = 'alone' limit 1")
        (row,) = await app.rows("select last_job_id from pgboss.schedule")
    assert job["data"] == {"n": 1}
    assert row["last_job_id"] is not None


async def test_a_job_carries_the_options_that_its_schedule_holds(app: App) -> None:
    options = (
        '{"priority": 7, "retryLimit": 4, "group": {"id": "g", "tier": "t"}, "singletonKey": "k", "startAfter": 60}'
    )
    await store(app, "optioned", "* * * * * *", options=options)
    async with opened(app.dsn, supervision=CRONLESS) as firing, firing.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: is_sent(app, "optioned"))
    (job,) = await app.rows(
        "select *, start_after - created_on as wait from pgboss.job where name = 'optioned' limit 1"
    )
    found = [job[name] for name in ("priority", "retry_limit", "group_id", "group_tier", "singleton_key", "wait")]
    assert found == [7, 4, "g", "t", "k", timedelta(seconds=60)]


async def is_sent(app: App, queue: str) -> bool:
    return bool(await app.rows("select from pgboss.job where name = %s", queue))


async def test_an_occurrence_that_cannot_be_sent_holds_up_no_other(app: App) -> None:
    await store(app, "broken", "* * * * * *", options='{"retryLimit": "many"}')
    await store(app, "whole", "* * * * * *")
    async with opened(app.dsn, supervision=CRONLESS) as firing, firing.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: is_sent(app, "whole"))
    rows = await app.rows("select state::text, output from pgboss.job where data ->> 'name' = 'broken'")
    assert rows[0]["state"] == "retry"
    assert "many" in rows[0]["output"]["message"]


@pytest.mark.node
async def test_a_schedule_that_only_node_reads_is_fired_by_node_beside_us(
    app: App, postgres_server: PostgresServer
) -> None:
    dsn = node_dsn_of(app, postgres_server)
    await store(app, "ours-too", "* * * * * *")
    async with (
        node_boss(dsn, cronMonitorIntervalSeconds=1, cronWorkerIntervalSeconds=1) as node,
        opened(app.dsn, supervision=CRONLESS) as firing,
        firing.working(TrivialExecutor({"noop": noop})),
    ):
        await node.call("createQueue", "by-rule")
        await node.call("schedule", "by-rule", "RRULE:FREQ=SECONDLY")
        await eventually(lambda: is_sent(app, "by-rule"), seconds=30)
        await eventually(lambda: is_sent(app, "ours-too"), seconds=30)


async def test_a_schedule_that_nobody_reads_is_told_once(app: App) -> None:
    await store(app, "wrong", "not a cron")
    settings = busy(enabled=False, persist_warnings=True, cron_interval_seconds=0.1)
    async with opened(app.dsn, supervision=settings) as firing, firing.working(TrivialExecutor({"noop": noop})):
        await eventually(lambda: is_warned(app))
        await store(app, "right", "* * * * * *")
        await eventually(lambda: is_sent(app, "right"))
    (warning,) = await app.rows("select type, data from pgboss.warning")
    assert warning == {
        "type": "invalid_schedule",
        "data": {"queue": "wrong", "key": "", "cron": "not a cron", "timezone": "UTC"},
    }


async def is_warned(app: App) -> bool:
    return bool(await app.rows("select from pgboss.warning"))


async def test_one_pass_an_interval_is_taken(app: App) -> None:
    taken = await asyncio.gather(*(app.rows("select claimed from jobcore.pgboss_cron_claim(30)") for _ in range(8)))
    assert sorted(rows[0]["claimed"] for rows in taken) == [False] * 7 + [True]


@pytest.mark.parametrize(
    ("cron", "now", "slots"),
    [
        ("* * * * *", "12:00:10", ["12:00"]),
        ("*/5 * * * *", "12:00:59", ["12:00"]),
        ("*/5 * * * *", "12:01:00", []),
        ("*/10 * * * * *", "12:00:05", ["12:00"]),
        ("30 59 11 * * *", "12:00:05", ["11:59"]),
        ("0 14 * * *", "12:00:30", []),
    ],
    ids=["minute", "still-due", "no-longer-due", "seconds", "slot-of-the-occurrence", "not-due"],
)
def test_an_occurrence_is_due_for_a_minute_and_filed_under_its_own(cron: str, now: str, slots: list[str]) -> None:
    at = datetime.fromisoformat(f"2026-06-01T{now}+00:00")
    assert schedule(cron).slots(at, at) == [f"2026-06-01 {slot}:00" for slot in slots]


def test_a_schedule_is_read_in_its_time_zone() -> None:
    now = datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)
    assert schedule("0 14 * * *", "Europe/Paris").slots(now, now) == ["2026-06-01 12:00:00"]


def test_a_schedule_that_catches_up_files_the_latest_occurrence_that_nobody_saw() -> None:
    now = datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)
    gap = now - timedelta(days=90)
    assert schedule("0 3 * * *", catches_up=True).slots(now, gap) == ["2026-06-01 03:00:00"]
    assert schedule("0 3 1 * *", catches_up=True).slots(now, gap) == ["2026-06-01 03:00:00"]
    assert schedule("0 3 2 * *", catches_up=True).slots(now, gap) == ["2026-05-02 03:00:00"]
    assert schedule("0 3 1 1 *", catches_up=True).slots(now, gap) == []
    assert schedule("0 3 * * *").slots(now, gap) == []
