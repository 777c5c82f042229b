"""What a cutover takes along, and what it leaves: X06, both ways."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from jobcore import Concurrency, Flow, JobApp, JobContext, JobData, JobState, Retry, RetryPolicy, job
from jobcore.errors import CapabilityError, EngineUnavailableError, InputError, UnknownRunnerError
from jobcore.models import Cutover, MovedHandler
from jobcore.testing.apps import memory_app
from moving.conftest import PATIENCE, Open, both_engines, one, working
from support.fleet import eventually

TENANT, OTHER = uuid4(), uuid4()
ENGINES = [("pgboss", "temporal"), ("temporal", "pgboss")]
both_ways = pytest.mark.parametrize(("source", "target"), ENGINES, ids=["to-temporal", "to-pgboss"])


class Data(JobData):
    n: int = 0
    key: str = ""


@job("plain", timeout=timedelta(seconds=90), priority=3)
async def plain(ctx: JobContext, data: Data) -> int:
    return data.n


@job("again", retry=RetryPolicy(max_attempts=3))
async def again(ctx: JobContext, data: Data) -> int:
    if ctx.attempt == 1:
        raise Retry(after=timedelta(hours=1))
    return ctx.attempt


@job("single", limits=[Concurrency(1, key="key")])
async def single(ctx: JobContext, data: Data) -> int:
    return data.n


HANDLERS = [plain, again, single]

WHERE = "select runner_type, epoch, status::text, attempt, metadata from jobs where tenant = %s and job_id = %s"
IN_PGBOSS = (
    "select state::text, start_after, created_on, expire_seconds, priority, retry_count, retry_limit from pgboss.job "
    "where id = %s"
)
IN_OUTBOX = "select try_at, options, rank from jobcore.outbox where job_id = %s and state <> 'ending'"


def of(report: Cutover, name: str) -> MovedHandler:
    return next(handler for handler in report.handlers if handler.handler == name)


@both_ways
async def test_a_delayed_job_keeps_its_time_its_priority_its_place_and_its_timeout(
    opened: Open, database: psycopg.AsyncConnection[Any], source: str, target: str
) -> None:
    async with opened(source, handlers=HANDLERS) as app:
        handle = await app.enqueue(plain, Data(), tenant=TENANT, delay=timedelta(hours=2))
        job = await app.get_job(TENANT, handle.job_id)
        for there, back in [(source, target), (target, source), (source, target)]:
            assert of(await app.cutover(there, back), "plain").moved == 1
            runner, epoch, status, attempt, metadata = await one(database, WHERE, TENANT, handle.job_id)
            assert (runner, status, attempt, metadata["moved_from"]) == (back, "queued", 0, there)
            queued = await one(database, IN_PGBOSS, handle.job_id)
            outbox = await one(database, IN_OUTBOX, handle.job_id)
            if back == "pgboss":
                assert outbox is None
                assert queued[:2] == ("created", job.run_at)
                assert abs(queued[2] - job.created_at) < timedelta(milliseconds=1)
                assert queued[3:] == (150, 3, 0, 2)  # 90 s and the margin of a minute
            else:
                assert queued is None
                assert abs(outbox[0] - job.run_at) < timedelta(milliseconds=1)
                assert 150 in (outbox[1].get("expire_seconds"), outbox[1].get("timeout_ms", 0) / 1000 + 60)
                assert outbox[2] == 2
        assert epoch == 3


@both_ways
async def test_a_job_that_waits_for_its_next_attempt_keeps_those_that_it_had(
    opened: Open, database: psycopg.AsyncConnection[Any], source: str, target: str
) -> None:
    async with opened(source, handlers=HANDLERS) as app, opened(target, handlers=HANDLERS) as other:
        handle = await app.enqueue(again, Data(), tenant=TENANT)
        async with working(app):

            async def waits() -> bool:
                row = await one(database, WHERE, TENANT, handle.job_id)
                return row[2:4] == ("queued", 1)

            await eventually(waits, "the first attempt ends")
            assert of(await app.cutover(source, target), "again").moved == 1
        assert (await one(database, WHERE, TENANT, handle.job_id))[:4] == (target, 1, "queued", 1)
        for table, column in (("pgboss.job", "start_after"), ("jobcore.outbox", "try_at")):
            await database.execute(f"update {table} set {column} = now() where {column} > now()")
        await database.execute("update jobs set run_at = now() where run_at > now()")
        async with working(other):
            assert await other.handle(TENANT, handle.job_id).result(timeout=PATIENCE) == 2


@both_ways
async def test_jobs_that_wait_for_a_limit_a_pause_or_a_parent_move_and_run_there(
    opened: Open, source: str, target: str
) -> None:
    async with opened(source, handlers=HANDLERS) as app, opened(target, handlers=HANDLERS) as other:
        await app.pause(handler="single", reason="until they have moved")
        singles = [await app.enqueue(single, Data(n=n, key="k"), tenant=TENANT) for n in range(5)]
        flow = Flow()
        parent = flow.add(plain, Data(n=7))
        flow.add(plain, Data(n=8), after=[parent])
        family = await app.enqueue_flow(flow, tenant=TENANT)
        report = await app.cutover(source, target)
        assert (of(report, "single").moved, of(report, "plain").moved) == (5, 2)
        await app.resume(handler="single")
        async with working(other):
            for handle in [*singles, *family]:
                await other.handle(TENANT, handle.job_id).result(timeout=PATIENCE)
        for handle in [*singles, *family]:
            job = await app.get_job(TENANT, handle.job_id)
            assert (job.runner_type, job.attempt) == (target, 1)


async def test_what_a_handler_tells_the_other_engine_of_itself_goes_with_its_jobs(
    opened: Open, database: psycopg.AsyncConnection[Any]
) -> None:
    @job("light", engines={"temporal": {"mode": "activity"}})
    async def light(ctx: JobContext, data: Data) -> str:
        return "done"

    async with opened("pgboss", handlers=[light]) as app:
        handle = await app.enqueue(light, Data(), tenant=TENANT)
        await app.cutover("pgboss", "temporal")
        _, options, _ = await one(database, IN_OUTBOX, handle.job_id)
        assert (options["mode"], options["expire_seconds"]) == ("activity", 660)
        async with opened("temporal", handlers=[light]) as other, working(other):
            assert await other.handle(TENANT, handle.job_id).result(timeout=PATIENCE) == "done"


async def test_a_handler_that_nobody_knows_here_moves_and_is_named(opened: Open) -> None:
    async with opened("pgboss", handlers=HANDLERS) as app:
        await app.enqueue(plain, Data(), tenant=TENANT)
    async with opened("temporal") as stranger:
        report = await stranger.cutover("pgboss", "temporal")
        assert (report.moved, any("Nothing is known here of plain" in text for text in report.warnings)) == (1, True)


@both_ways
async def test_a_moved_job_holds_its_dedupe_key(opened: Open, source: str, target: str) -> None:
    async with opened(source, handlers=HANDLERS) as app:
        first = await app.enqueue(plain, Data(), tenant=TENANT, dedupe_key="once")
        await app.cutover(source, target)
        for runner in (source, target):
            twin = await app.enqueue(plain, Data(), tenant=TENANT, dedupe_key="once", runner=runner)
            assert (twin.job_id, twin.deduplicated) == (first.job_id, True)


@both_ways
async def test_only_what_is_asked_for_moves_and_a_dry_run_only_counts(opened: Open, source: str, target: str) -> None:
    async with opened(source, handlers=HANDLERS) as app:
        await app.enqueue_many(plain, [Data()] * 3, tenant=TENANT)
        await app.enqueue_many(plain, [Data()] * 2, tenant=OTHER)
        await app.enqueue(again, Data(), tenant=TENANT)
        counted = await app.cutover(source, target, dry_run=True)
        assert (of(counted, "plain").moved, of(counted, "again").moved) == (5, 1)
        assert await moved_to(app, target) == 0
        report = await app.cutover(source, target, handler="pl*", tenant=OTHER)
        assert (report.moved, await moved_to(app, target)) == (2, 2)
        assert (await app.cutover(source, target, handler="pl*")).moved == 3
        assert (await app.cutover(source, target)).moved == 1
        assert (await app.cutover(source, target)).moved == 0


async def moved_to(app: JobApp, target: str) -> int:
    return sum((await app.metrics()).by_runner.get(target, {}).values())


@both_ways
async def test_schedules_that_name_the_source_name_the_target_and_others_follow_the_settings(
    opened: Open, source: str, target: str
) -> None:
    async with opened(source, handlers=HANDLERS) as app:
        for n in range(60):
            await app.schedule(f"named-{n}", plain, "0 3 * * *", Data(), tenant=TENANT, runner=source)
        await app.schedule("free", plain, "0 3 * * *", Data(), tenant=TENANT)
        await app.schedule("other", again, "0 3 * * *", Data(), tenant=TENANT, runner=target)
        report = await app.cutover(source, target)
        assert (report.schedules, report.following) == (60, 1)
        named = {schedule.key: schedule.runner_type for schedule in await app.schedules.list(TENANT)}
        assert (named.pop("free"), set(named.values())) == (None, {target})


@both_ways
async def test_what_somebody_holds_is_passed_by_and_moves_next_time(
    opened: Open, database_dsn: str, source: str, target: str
) -> None:
    async with opened(source, handlers=HANDLERS) as app:
        handles = await app.enqueue_many(plain, [Data(n=n) for n in range(20)], tenant=TENANT)
        await app.schedule("fired", plain, "0 3 * * *", Data(), tenant=TENANT, runner=source)
        async with await psycopg.AsyncConnection.connect(database_dsn) as holder:
            await holder.execute("select from jobs where job_id = %s for update", (handles[5].job_id,))
            await holder.execute("select from cron_jobs for update")
            report = await app.cutover(source, target)
        [(reason, held)] = of(report, "plain").skipped.items()
        assert (of(report, "plain").moved, held, report.schedules) == (19, 1, 0)
        assert "run the cutover again" in reason
        rest = await app.cutover(source, target)
        assert (rest.moved, rest.schedules) == (1, 1)


async def test_a_running_job_ends_where_it_is(opened: Open, tmp_path: Any) -> None:
    @job("held")
    async def held(ctx: JobContext, data: Data) -> str:
        await eventually(lambda: exists(tmp_path / "go"), "the test lets it go")
        return "done"

    async with opened("pgboss", handlers=[held]) as app, working(app):
        handle = await app.enqueue(held, Data(), tenant=TENANT)

        async def runs() -> bool:
            return (await handle.status()).status is JobState.PROCESSING

        await eventually(runs, "it runs")
        report = await app.cutover("pgboss", "temporal")
        assert (of(report, "held").moved, of(report, "held").running) == (0, 1)
        (tmp_path / "go").touch()
        assert await handle.result(timeout=PATIENCE) == "done"
        assert (await app.get_job(TENANT, handle.job_id)).runner_type == "pgboss"


async def exists(path: Any) -> bool:
    return path.exists()


async def test_what_node_sent_or_bound_to_its_queue_stays_and_is_reported(
    opened: Open, database: psycopg.AsyncConnection[Any]
) -> None:
    async with opened("pgboss", handlers=HANDLERS) as app:
        bound, free = await app.enqueue_many(plain, [Data()] * 2, tenant=TENANT)
        await database.execute("update pgboss.job set singleton_key = 'k' where id = %s", (bound.job_id,))
        await database.execute("select jobcore.pgboss_send('plain', '{}', '{}')")
        report = await app.cutover("pgboss", "temporal")
        assert (of(report, "plain").moved, sum(of(report, "plain").skipped.values())) == (1, 1)
        assert dict(report.unrecorded) == {"plain": 1}
        assert (await one(database, WHERE, TENANT, free.job_id))[0] == "temporal"
        assert (await one(database, WHERE, TENANT, bound.job_id))[:3] == ("pgboss", 0, "queued")
        assert (await one(database, "select count(*) from pgboss.job where name = 'plain'"))[0] == 2


async def test_a_queue_whose_policy_takes_one_job_takes_one_and_says_why_not_the_others(
    opened: Open, database: psycopg.AsyncConnection[Any]
) -> None:
    async with opened("temporal", handlers=HANDLERS) as app:
        await database.execute("select pgboss.create_queue('plain', '{\"policy\": \"short\"}')")
        await app.enqueue_many(plain, [Data()] * 3, tenant=TENANT)
        await app.enqueue(again, Data(), tenant=TENANT)
        report = await app.cutover("temporal", "pgboss")
        assert (of(report, "plain").moved, of(report, "again").moved) == (1, 1)
        [(reason, count)] = of(report, "plain").skipped.items()
        assert count == 2
        assert "did not let it in" in reason
        assert await moved_to(app, "temporal") == 2


async def test_it_says_who_would_not_run_them_and_what_still_goes_to_the_source(opened: Open) -> None:
    async with opened("pgboss", handlers=HANDLERS) as app, opened("temporal", handlers=[again]) as other:
        await app.enqueue(plain, Data(), tenant=TENANT)
        nobody, routed = (await app.cutover("pgboss", "temporal", dry_run=True)).warnings
        assert "No live worker serves the runner 'temporal'" in nobody
        assert "New jobs of plain still go to 'pgboss'" in routed
        async with working(other):
            missing, _ = (await app.cutover("pgboss", "temporal", dry_run=True)).warnings
            assert missing == "No live worker of the runner 'temporal' has plain."


async def test_nothing_moves_to_an_engine_that_is_away(database_dsn: str) -> None:
    async with JobApp(both_engines(database_dsn, "127.0.0.1:1"), handlers=HANDLERS, runner="pgboss") as app:
        await app.enqueue(plain, Data(), tenant=TENANT)
        with pytest.raises(EngineUnavailableError, match="Nothing was moved to the runner 'temporal'"):
            await app.cutover("pgboss", "temporal")
        assert await moved_to(app, "pgboss") == 1


async def test_a_cutover_that_cannot_be_meant_is_refused(opened: Open) -> None:
    async with opened("pgboss", handlers=HANDLERS) as app:
        with pytest.raises(InputError, match="not from 'pgboss' to itself"):
            await app.cutover("pgboss", "pgboss")
        with pytest.raises(UnknownRunnerError, match="postgres-boss"):
            await app.cutover("postgres-boss", "temporal")


async def test_a_storage_that_cannot_move_jobs_says_so() -> None:
    async with memory_app() as app:
        with pytest.raises(CapabilityError, match="'memory' lacks the capability 'moving'"):
            await app.store.count_movable("memory")
