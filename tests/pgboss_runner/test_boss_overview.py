"""What the face tells of queues, instances and the schema, and the duties that it does, beside Node."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from jobcore.errors import InputError, NaiveDatetimeError, SchemaVersionError
from jobcore_devkit.postgres import PostgresServer
from jobcore_pgboss.boss import PgBoss
from jobcore_pgboss.boss.errors import QueueNotFoundError
from jobcore_pgboss.boss.options import camel_case, snake_case
from jobcore_pgboss.boss.queue_stats import QueueStats
from jobcore_pgboss.supervision import SupervisionSettings
from pgboss_runner.boss_face import QUIET, Pair
from pgboss_runner.supervised import busy, node_boss

GAUGES = ("deferred_count", "queued_count", "ready_count", "active_count", "failed_count", "total_count")


def as_node_says_it(stats: QueueStats) -> dict[str, Any]:
    """The same under Node's names, with times as JavaScript prints them."""
    said: dict[str, Any] = {
        camel_case(field): getattr(stats, field) for field in QueueStats.__slots__ if field != "percentiles"
    }
    for field in ("deltaOn", "capturedOn"):
        if said[field] is not None:
            said[field] = said[field].astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if stats.percentiles:
        said["percentiles"] = [
            {"p": each.p, "waitSeconds": each.wait_seconds, "runSeconds": each.run_seconds}
            for each in stats.percentiles
        ]
    return said


def rounded(said: dict[str, Any]) -> dict[str, Any]:
    """What was said, with percentiles to twelve digits: powers of one number differ in the last between languages."""
    for percentile in said.get("percentiles", ()):
        for span in ("waitSeconds", "runSeconds"):
            if percentile[span] is not None:
                percentile[span] = float(f"{percentile[span]:.12g}")
    return said


async def filled(pair: Pair, name: str = "mail") -> None:
    """A queue with jobs in all states."""
    await pair.boss.create_queue(name, retry_limit=0)
    for _ in range(5):
        await pair.boss.send(name)
    await pair.boss.send_after(name, {}, 60)
    jobs = await pair.boss.fetch(name, batch_size=3)
    await pair.boss.complete(name, jobs[0])
    await pair.boss.fail(name, jobs[1])


async def test_a_queue_that_nobody_counted_is_counted_as_node_counts_it(pair: Pair) -> None:
    await filled(pair)
    (ours,) = await pair.boss.get_queue_stats("mail")
    await pair.rows("update pgboss.queue set monitor_on = null, total_count = 0 where name = 'mail' returning name")
    (theirs,) = await pair.node.call("getQueueStats", "mail")
    left, right = as_node_says_it(ours), dict(theirs)
    assert left.pop("capturedOn") <= right.pop("capturedOn")
    assert left == right
    assert [getattr(ours, gauge) for gauge in GAUGES[:5]] == [1, 3, 2, 1, 1]


async def test_counts_stay_good_for_an_hour_or_a_minute_if_they_are_forced(pair: Pair) -> None:
    await filled(pair)
    (first,) = await pair.boss.get_queue_stats("mail")
    await pair.boss.send("mail")
    assert await pair.boss.get_queue_stats("mail", force=True) == [first]
    await age(pair, 120)
    (aged,) = await pair.boss.get_queue_stats("mail")
    assert aged.queued_count == first.queued_count
    (forced,) = await pair.boss.get_queue_stats("mail", force=True)
    assert forced.queued_count == first.queued_count + 1
    await age(pair, 4000)
    await pair.boss.send("mail")
    assert (await pair.boss.get_queue_stats("mail"))[0].queued_count == first.queued_count + 2
    (row,) = await pair.rows("select ready_history from pgboss.queue where name = 'mail'")
    assert row["ready_history"] == []  # which only the monitor fills


async def age(pair: Pair, seconds: int) -> None:
    await pair.rows(
        "update pgboss.queue set monitor_on = now() - %s * interval '1 second' where name = 'mail' returning name",
        seconds,
    )


async def test_while_pg_boss_rests_from_counting_the_old_counts_are_told(pair: Pair) -> None:
    await filled(pair)
    await pair.rows("update pgboss.version set monitor_backoff_on = now() + interval '1 hour' returning version")
    (first,) = await pair.boss.get_queue_stats("mail")
    await age(pair, 4000)
    await pair.boss.send("mail")
    (ours,) = await pair.boss.get_queue_stats("mail", force=True)
    (theirs,) = await pair.node.call("getQueueStats", "mail", {"force": True})
    assert ours.queued_count == theirs["queuedCount"] == first.queued_count


async def record(pair: Pair) -> datetime:
    """A series as Node records it, with a hole; the start of it."""
    start = datetime.now(UTC).replace(microsecond=0)  # of which today's and tomorrow's partitions can hold some hours
    bins = [[None] * 48, [None] * 48]
    for minute in (0, 1, 2, 3, 9, 10, 11, 30):
        waits, runs = [list(each) for each in bins]
        waits[minute % 7], runs[0], runs[47] = minute + 1, minute, 1
        told = minute not in (2, 9)
        await pair.rows(
            """insert into pgboss.queue_stats (name, deferred_count, queued_count, ready_count, active_count,
                failed_count, total_count, created_delta, completed_delta, failed_delta, delta_seconds, delta_on,
                wait_bins, run_bins, ready_oldest_seconds, captured_on)
            values ('mail', %s, %s, %s, 1, 0, 9, %s, %s, 0, 60, %s, %s, %s, %s, %s) returning id""",
            *(minute, 100 - minute, minute % 3),
            *((7, minute) if told else (None, None)),
            start + timedelta(minutes=minute, seconds=-10) if told else None,
            *((waits, runs) if told and minute != 3 else (None, None)),
            minute if told else None,
            start + timedelta(minutes=minute),
        )
    return start


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"limit": 2},
        {"from_": 2, "to": 10},
        {"percentiles": [50, 95, 1, 100]},
        {"bucket_seconds": 60},
        {"bucket_seconds": 300, "percentiles": [50]},
        {"bucket_seconds": 300, "aggregate": "min"},
        {"bucket_seconds": 400, "aggregate": "avg", "limit": 2},
        {"bucket_seconds": 300, "from_": 1, "to": 10},
        {"max_data_points": 3},
        {"max_data_points": 4, "from_": 2},
        {"max_data_points": 500, "to": 11},
    ],
    ids=str,
)
async def test_what_node_recorded_is_told_as_node_tells_it(
    pair: Pair, options: dict[str, Any], postgres_server: PostgresServer
) -> None:
    await pair.boss.create_queue("mail")
    start = await record(pair)
    ends = {key: start + timedelta(minutes=options[key]) for key in ("from_", "to") if key in options}
    ours = await pair.boss.get_queue_stats("mail", recorded=True, **{**options, **ends})
    in_node = {camel_case(key.rstrip("_")): value for key, value in options.items()}
    in_node |= {key.rstrip("_"): value.isoformat() for key, value in ends.items()}
    node_dsn = postgres_server.dsn(str(conninfo_to_dict(pair.dsn)["dbname"]), tcp=True)
    async with node_boss(node_dsn, persistQueueStats=True, **QUIET) as node:
        theirs = await node.call("getQueueStats", "mail", in_node)
    assert [rounded(as_node_says_it(stats)) for stats in ours] == [rounded(stats) for stats in theirs]
    assert len(ours) > 1


async def test_what_cannot_be_meant_of_stats_is_refused(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    refusals: list[tuple[dict[str, Any], str]] = [
        ({"percentiles": [0]}, "percentiles"),
        ({"percentiles": [101]}, "percentiles"),
        ({"max_data_points": 5}, "add recorded=True"),
        ({"recorded": True, "limit": 0}, "limit"),
        ({"recorded": True, "bucket_seconds": 0}, "bucket_seconds"),
        ({"recorded": True, "max_data_points": 1.5}, "max_data_points"),
        ({"recorded": True, "bucket_seconds": 5, "aggregate": "sum"}, "aggregate"),
    ]
    for options, what in refusals:
        with pytest.raises(InputError, match=what):
            await pair.boss.get_queue_stats("mail", **options)
    with pytest.raises(NaiveDatetimeError):
        await pair.boss.get_queue_stats("mail", recorded=True, to=datetime(2026, 1, 1))
    for recorded in (False, True):
        with pytest.raises(QueueNotFoundError, match="nowhere"):
            await pair.boss.get_queue_stats("nowhere", recorded=recorded)
    with pytest.raises(QueueNotFoundError, match="nowhere"):
        await pair.boss.get_queue_stats("nowhere", recorded=True, bucket_seconds=60)


async def test_instances_are_told_as_node_tells_them(pair: Pair) -> None:
    theirs = await pair.node.call("getInstances")
    ours = await pair.boss.get_instances()
    assert len(ours) == len(theirs) == 1
    (row,), (told,) = ours, theirs
    same = {"id", "host", "pid", "version", "nodeVersion", "applicationName", "heartbeatSeconds", "workers", "live"}
    same |= {"supervise", "schedule", "migrate", "config", "crashRestarts", "stoppedOn", "metrics", "poolMax"}
    assert {key: row[snake_case(key)] for key in same} == {key: told[key] for key in same}
    assert {snake_case(key) for key in told} == row.keys()


async def test_instances_come_in_pages_and_the_silent_are_not_live(pair: Pair) -> None:
    first = UUID((await pair.boss.get_instances())[0]["id"])
    for seconds in (10, 100):
        await pair.rows(
            """insert into pgboss.instance (id, host, pid, version, node_version, heartbeat_seconds, supervise,
                schedule, migrate, persist_queue_stats, persist_warnings, started_on, heartbeat_on)
            values (gen_random_uuid(), 'h', 1, '0', 'v0', 30, true, true, true, false, false,
                now() + interval '1 hour', now() - %s * interval '1 second') returning id""",
            seconds,
        )
    later = await pair.boss.get_instances(after=first)
    assert sorted(each["live"] for each in later) == [False, True]
    assert [each["id"] for each in await pair.boss.get_instances(limit=1)] == [str(first)]
    assert await pair.boss.get_instances(after=UUID(later[1]["id"])) == []
    assert [each["id"] for each in later] == [
        each["id"] for each in await pair.node.call("getInstances", {"after": str(first)})
    ]
    with pytest.raises(InputError, match="go on behind"):
        await pair.boss.get_instances(after=uuid4())
    with pytest.raises(InputError, match="limit"):
        await pair.boss.get_instances(limit=0)


async def test_the_schema_tells_whether_it_is_there_and_in_which_version(pair: Pair, empty_database_dsn: str) -> None:
    assert await pair.boss.is_installed() is await pair.node.call("isInstalled") is True
    assert await pair.boss.schema_version() == await pair.node.call("schemaVersion") == 46
    stranger = PgBoss(empty_database_dsn)
    assert await stranger.is_installed() is False
    with pytest.raises(SchemaVersionError, match="no pg-boss schema"):
        await stranger.schema_version()
    with psycopg.connect(empty_database_dsn) as connection:  # and nothing was made
        assert connection.execute("select to_regnamespace('pgboss')").fetchone() == (None,)


async def stuck(pair: Pair, name: str) -> UUID:
    """A job that Node fetched an hour ago and nobody works on."""
    await pair.boss.create_queue(name, retry_limit=3, retry_delay=0)
    job_id = await pair.node.call("send", name)
    await pair.node.call("fetch", name)
    await pair.rows("update pgboss.job set started_on = now() - interval '1 hour' where id = %s returning id", job_id)
    return UUID(job_id)


async def looked_after(pair: Pair) -> dict[str, tuple[bool, bool]]:
    rows = await pair.rows("select name, monitor_on is not null as m, maintain_on is not null as d from pgboss.queue")
    return {row["name"]: (row["m"], row["d"]) for row in rows}


async def test_supervise_does_what_is_due_as_node_does(pair: Pair) -> None:
    ours, theirs = [await stuck(pair, name) for name in ("ours", "theirs")]
    kept = await pair.boss.send("ours", retention_seconds=1)
    await pair.rows("update pgboss.job set keep_until = now() where id = %s returning id", kept)
    await pair.boss.supervise("ours")
    assert (await looked_after(pair))["theirs"] == (False, False)
    await pair.node.call("supervised", "theirs")
    assert (await looked_after(pair)).items() >= {"ours": (True, True), "theirs": (True, True)}.items()
    rows = [await pair.job(job_id) for job_id in (ours, theirs)]
    assert [row["state"] for row in rows] == ["retry", "retry"]
    assert ["job timed out" in str(row["output"]) for row in rows] == [True, True]
    assert await pair.boss.get_job_by_id("ours", kept) is None


async def test_supervise_means_all_queues_and_one_instance_an_interval(pair: Pair) -> None:
    for name in ("one", "other"):
        await pair.boss.create_queue(name)
    await pair.boss.supervise()
    found = await looked_after(pair)
    assert found["one"] == found["other"] == (True, True)
    again = await stuck(pair, "one")
    await pair.boss.supervise()
    await pair.node.call("supervised", "one")
    assert (await pair.job(again))["state"] == "active"  # not due yet
    async with PgBoss(pair.dsn, supervision=busy(monitor_interval_seconds=0)) as eager:
        await eager.supervise("one")
    assert (await pair.job(again))["state"] == "retry"
    with pytest.raises(QueueNotFoundError, match="nowhere"):
        await pair.boss.supervise("nowhere")


async def test_supervise_warns_by_its_own_settings(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    for _ in range(3):
        await pair.boss.send("mail")
    settings = SupervisionSettings(warning_queue_size=2, persist_warnings=True)
    async with PgBoss(pair.dsn, supervision=settings) as boss:
        await boss.supervise("mail")
    assert [row["type"] for row in await pair.rows("select type from pgboss.warning")] == ["queue_backlog"]
