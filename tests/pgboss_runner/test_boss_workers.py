"""How the face's workers find work, and how they end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import psycopg
import pytest

from jobcore.errors import InputError
from jobcore_devkit.pgbouncer import HOW_TO_INSTALL, PgBouncer, find_pgbouncer
from jobcore_devkit.postgres import PostgresServer
from jobcore_devkit.testing import require
from jobcore_pgboss.boss import PgBoss
from jobcore_pgboss.boss import workforce as workforce_module
from jobcore_pgboss.boss.models import Job
from pgboss_runner.boss_face import Pair
from pgboss_runner.harness import eventually
from pgboss_runner.test_boss_working import FAST, ended, logged

RARE: dict[str, Any] = {"polling_interval_seconds": 3600}
LISTENERS = "select pid from pg_stat_activity where application_name = 'jobcore boss listener' and datname = %s"


class Counting:
    """A handler that holds its jobs until it is told, and counts."""

    def __init__(self) -> None:
        self.running: list[Job] = []
        self.most = 0
        self.ended = 0
        self.changed = asyncio.Condition()
        self.release = asyncio.Event()
        self.cancelled: list[str | None] = []

    async def __call__(self, jobs: list[Job]) -> Any:
        self.running += jobs
        self.most = max(self.most, len(self.running))
        async with self.changed:
            self.changed.notify_all()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled += [job.signal.kind for job in jobs]
            raise
        finally:
            self.running = [job for job in self.running if job not in jobs]
            self.ended += len(jobs)

    async def has(self, count: int) -> None:
        """Wait until so many jobs run."""
        async with asyncio.timeout(20), self.changed:
            await self.changed.wait_for(lambda: len(self.running) >= count)


async def listening(pair: Pair, count: int = 1) -> None:
    """Wait until an instance listens."""
    name = pair.dsn.partition("?")[0].rpartition("/")[2]

    async def there() -> bool:
        return len(await pair.rows(LISTENERS, name)) == count and pair.boss._workforce._hears()

    await eventually(there)


async def idle(pair: Pair, work_id: UUID) -> None:
    """Wait until a worker has looked in vain."""

    async def looked() -> bool:
        return any(wip.id == work_id and wip.last_job_duration is not None for wip in pair.boss.get_wip_data())

    await eventually(looked)


async def test_a_worker_finds_by_polling_what_is_sent_later(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    handler = Counting()
    handler.release.set()
    await idle(pair, await pair.boss.work("mail", handler, **FAST))
    assert (await ended(pair, await pair.node.call("send", "mail")))["state"] == "completed"


async def test_so_many_handlers_run_at_once(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    ids = [await pair.node.call("send", "mail") for _ in range(5)]
    handler = Counting()
    await pair.boss.work("mail", handler, local_concurrency=3, **FAST)
    await handler.has(3)
    assert [wip.count for wip in pair.boss.get_wip_data()] == [1, 1, 1]
    assert len({wip.work_id for wip in pair.boss.get_wip_data()}) == 1
    handler.release.set()
    for job_id in ids:
        await ended(pair, job_id)
    assert handler.most == 3


async def test_a_worker_of_urgent_jobs_leaves_the_others(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    ids = [await pair.node.call("send", "mail", {}, {"priority": priority}) for priority in (1, 5, 9)]
    handler = Counting()
    handler.release.set()
    await idle(pair, await pair.boss.work("mail", handler, batch_size=9, min_priority=4, max_priority=8, **FAST))
    assert (await ended(pair, ids[1]))["state"] == "completed"
    assert [(await pair.job(job_id))["state"] for job_id in ids] == ["created", "completed", "created"]


async def test_a_group_has_so_many_running_beside_node(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    for group in ("a", "a", "a", "b"):
        await pair.node.call("send", "mail", {}, {"group": {"id": group}})
    (theirs,) = await pair.node.call("fetch", "mail", {"groupConcurrency": 2})
    assert theirs["groupId"] == "a"
    handler = Counting()
    await pair.boss.work("mail", handler, batch_size=9, group_concurrency=2, local_concurrency=2, **FAST)
    await handler.has(2)
    assert sorted(str(job.group_id) for job in handler.running) == ["a", "b"]
    handler.release.set()


async def test_notify_worker_lets_one_look_now_and_go_on_until_all_is_worked(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    handler = Counting()
    handler.release.set()
    work_id = await pair.boss.work("mail", handler, **RARE)
    await idle(pair, work_id)
    ids = [await pair.boss.send("mail") for _ in range(3)]
    pair.boss.notify_worker(work_id)
    for job_id in ids:
        await ended(pair, job_id)
    pair.boss.notify_worker(uuid4())  # nobody's


async def test_workers_hear_of_jobs_in_a_queue_that_notifies(pair: Pair) -> None:
    await pair.boss.create_queue("mail", notify=True)
    handler = Counting()
    handler.release.set()
    await idle(pair, await pair.boss.work("mail", handler, **RARE))
    await listening(pair)
    for job_id in [await pair.node.call("send", "mail"), await pair.boss.send("mail")]:
        await ended(pair, job_id)


async def test_who_hears_polls_seldom(pair: Pair) -> None:
    await pair.boss.create_queue("mail", notify=True)
    await pair.boss.create_queue("other")
    handler = Counting()
    handler.release.set()
    work_id = await pair.boss.work("mail", handler, notify_polling_interval_seconds=3600, **FAST)
    await idle(pair, work_id)
    await listening(pair)
    await idle(pair, await pair.boss.work("other", handler, **FAST))
    seldom, often = [[wip.last_fetched_on] for wip in pair.boss.get_wip_data()]

    async def polled_thrice() -> bool:
        first, second = [wip.last_fetched_on for wip in pair.boss.get_wip_data()]
        seldom.append(first)
        often.append(second)
        return len(set(often)) > 3

    await eventually(polled_thrice)
    assert len(set(seldom)) <= 2  # one more for the hint with which the listener begins


async def test_what_was_told_while_the_listener_was_away_is_found(pair: Pair) -> None:
    await pair.boss.create_queue("mail", notify=True)
    handler = Counting()
    handler.release.set()
    await idle(pair, await pair.boss.work("mail", handler, **RARE))
    await listening(pair)
    name = pair.dsn.partition("?")[0].rpartition("/")[2]
    for _ in range(2):
        job_id = await pair.node.call("send", "mail")
        await pair.rows(f"select pg_terminate_backend(pid) from ({LISTENERS}) l", name)
        await ended(pair, job_id)
        await listening(pair)


async def test_without_listening_only_polls_find_work(pair: Pair) -> None:
    await pair.boss.create_queue("mail", notify=True)
    handler = Counting()
    handler.release.set()
    async with PgBoss(pair.dsn, use_listen_notify=False) as boss:
        await boss.work("mail", handler, **FAST)
        assert (await ended(pair, await pair.node.call("send", "mail")))["state"] == "completed"
        name = pair.dsn.partition("?")[0].rpartition("/")[2]
        assert await pair.rows(LISTENERS, name) == []


async def test_behind_a_pooler_polls_find_work(
    postgres_server: PostgresServer, database_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    require("PgBouncer", find_pgbouncer(), HOW_TO_INSTALL)
    handler = Counting()
    handler.release.set()
    with PgBouncer(postgres_server, pool_size=3) as pooler:
        async with PgBoss(pooler.dsn(urlsplit(database_dsn).path.lstrip("/"))) as boss:
            await boss.create_queue("mail", notify=True)
            await boss.work("mail", handler, local_concurrency=4, **FAST)
            await eventually(lambda: logged(caplog, "There is a pooler before PostgreSQL"))
            ids = [await boss.send("mail") for _ in range(8)]
            for job_id in ids:
                await eventually(lambda job_id=job_id: is_completed(boss, job_id))


async def test_full_batches_follow_at_once_in_a_burst(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    ids = [await pair.boss.send("mail") for _ in range(7)]
    handler = Counting()
    handler.release.set()
    await pair.boss.work("mail", handler, batch_size=2, burst_when_batch_full=True, **RARE)
    for job_id in ids:
        await ended(pair, job_id)


async def test_a_long_queue_is_worked_in_a_burst(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    ids = [await pair.boss.send("mail") for _ in range(3)]
    await pair.rows("update pgboss.queue set ready_count = 3 where name = 'mail' returning name")
    handler = Counting()
    handler.release.set()
    await pair.boss.work("mail", handler, burst_when_ready_exceeds=2, **RARE)
    for job_id in ids:
        await ended(pair, job_id)


async def test_off_work_waits_for_the_handler_and_no_longer_fetches(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    running, waiting = [await pair.boss.send("mail") for _ in range(2)]
    handler = Counting()
    await pair.boss.work("mail", handler, **FAST)
    await handler.has(1)
    leaving = asyncio.create_task(pair.boss.off_work("mail"))
    await eventually(lambda: are(pair, "stopping"))
    assert not leaving.done()
    handler.release.set()
    await leaving
    assert pair.boss.get_wip_data() == []
    assert [(await pair.job(job_id))["state"] for job_id in (running, waiting)] == ["completed", "created"]
    await pair.boss.off_work("mail")  # nobody works it


async def are(pair: Pair, *states: str) -> bool:
    return sorted(wip.state for wip in pair.boss.get_wip_data()) == sorted(states)


async def test_off_work_need_not_wait_and_need_not_mean_all(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    job_id = await pair.boss.send("mail")
    one, other = Counting(), Counting()
    first = await pair.boss.work("mail", one, local_concurrency=2, **FAST)
    await one.has(1)
    second = await pair.boss.work("mail", other, **RARE)
    await pair.boss.off_work("mail", id=first, wait=False)
    await eventually(lambda: are(pair, "active", "stopping"))
    assert {wip.work_id for wip in pair.boss.get_wip_data()} == {first, second}
    one.release.set()
    assert (await ended(pair, job_id))["state"] == "completed"
    await eventually(lambda: are(pair, "active"))


async def test_who_is_cancelled_while_it_waits_for_off_work_leaves_the_handler_alone(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    job_id = await pair.boss.send("mail")
    handler = Counting()
    await pair.boss.work("mail", handler, **FAST)
    await handler.has(1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await pair.boss.off_work("mail")
    handler.release.set()
    assert (await ended(pair, job_id))["state"] == "completed"
    assert handler.cancelled == []


async def test_a_graceful_stop_waits_for_the_handlers(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    job_id = await pair.boss.send("mail")
    handler = Counting()
    boss = await PgBoss(pair.dsn).start()
    await boss.work("mail", handler, **FAST)
    await handler.has(1)
    stopping = asyncio.create_task(boss.stop())
    await asyncio.sleep(0)
    handler.release.set()
    await stopping
    row = await pair.job(job_id)
    assert (row["state"], handler.cancelled) == ("completed", [])
    with pytest.raises(InputError, match="not started, or stopped"):
        await boss.work("mail", handler)
    await boss.start()
    again = await pair.boss.send("mail")
    await boss.work("mail", handler, **FAST)
    await ended(pair, again)
    await boss.stop()


@pytest.mark.parametrize("stop", [{"timeout": 0.1}, {"graceful": False}])
async def test_who_still_runs_when_all_stops_fails_as_with_node(pair: Pair, stop: dict[str, Any]) -> None:
    await pair.boss.create_queue("mail", retry_limit=1, retry_delay=0)
    job_id = await pair.boss.send("mail")
    handler = Counting()
    boss = await PgBoss(pair.dsn).start()
    await boss.work("mail", handler, **FAST)
    await handler.has(1)
    await boss.stop(**stop)
    row = await pair.job(job_id)
    assert (row["state"], row["output"]) == ("retry", {"value": "pg-boss shut down while active"})
    assert handler.cancelled == ["shutdown"]
    (again,) = await pair.node.call("fetch", "mail")
    assert again["retryCount"] == 1


async def test_what_a_fetch_brings_too_late_goes_back(pair: Pair) -> None:
    await pair.boss.create_queue("mail", retry_limit=1, retry_delay=0)
    job_id = await pair.boss.send("mail")
    handler = Counting()
    boss = await PgBoss(pair.dsn).start()
    async with await psycopg.AsyncConnection.connect(pair.dsn) as holding:
        await holding.execute("lock table pgboss.job in access exclusive mode")
        await boss.work("mail", handler, **FAST)
        await eventually(lambda: someone_waits(pair))
        stopping = asyncio.create_task(boss.stop(graceful=False))
        await eventually(lambda: holds(boss.get_wip_data()[0].state, "stopping"))
    await stopping
    row = await pair.job(job_id)
    assert (row["state"], row["output"]) == ("retry", {"value": "pg-boss shut down before the handler started"})
    assert handler.ended == 0


async def someone_waits(pair: Pair) -> bool:
    waiting = "select from pg_locks where not granted and database = (select oid from pg_database where datname = %s)"
    return await pair.rows(waiting, pair.dsn.partition("?")[0].rpartition("/")[2]) != []


async def holds(found: object, wanted: object) -> bool:
    return found == wanted


async def test_an_application_that_is_cancelled_stops_its_workers(pair: Pair) -> None:
    await pair.boss.create_queue("mail", retry_limit=0)
    job_id = await pair.boss.send("mail")
    handler = Counting()

    async def application() -> None:
        async with PgBoss(pair.dsn) as boss:
            await boss.work("mail", handler, **FAST)
            await asyncio.Event().wait()

    running = asyncio.create_task(application())
    await handler.has(1)
    running.cancel()
    await asyncio.sleep(0)
    running.cancel()  # the user is impatient: the graceful stop ends at once
    with pytest.raises(asyncio.CancelledError):
        await running
    assert handler.cancelled == ["shutdown"]
    assert (await pair.job(job_id))["output"] == {"value": "pg-boss shut down while active"}


async def test_a_queue_may_be_made_after_its_worker(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    handler = Counting()
    handler.release.set()
    await pair.boss.work("late", handler, **FAST)
    await eventually(lambda: logged(caplog, "Queue late does not exist"))
    (wip,) = pair.boss.get_wip_data()
    assert "does not exist" in str(wip.last_error)
    await pair.boss.create_queue("late")
    assert (await ended(pair, await pair.boss.send("late")))["state"] == "completed"


async def test_workers_live_through_an_absence_of_the_database(
    durable_postgres_server: PostgresServer, durable_database_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    handler = Counting()
    async with PgBoss(durable_database_dsn) as boss:
        await boss.create_queue("mail")
        held = await boss.send("mail", {"n": 1})
        await boss.work("mail", handler, **FAST)
        await handler.has(1)
        fetching = await boss.work("mail", Counting(), **FAST)
        await asyncio.to_thread(durable_postgres_server.stop, "immediate")
        handler.release.set()  # its end cannot be written now
        await eventually(lambda: logged(caplog, "A worker of queue mail had trouble, and goes on"), 30)
        await eventually(lambda: logged(caplog, "The worker of queue mail had trouble with the database"), 30)
        await asyncio.to_thread(durable_postgres_server.start)
        await boss.off_work("mail", id=fetching)
        await eventually(lambda: is_completed(boss, held), 60)
        await eventually(lambda: sends(boss), 60)
        await eventually(lambda: works(handler, 2), 60)


async def is_completed(boss: PgBoss, job_id: Any) -> bool:
    job = await boss.get_job_by_id("mail", job_id)
    return job is not None and job.state == "completed"


async def sends(boss: PgBoss) -> bool:
    return await boss.send("mail", {"n": 2}) is not None


async def works(handler: Counting, count: int) -> bool:
    return handler.ended >= count


async def test_a_stop_ends_by_itself_when_the_database_is_gone_for_good(
    durable_postgres_server: PostgresServer,
    durable_database_dsn: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(workforce_module, "LAST_WORD", 0.5)
    handler = Counting()
    boss = await PgBoss(durable_database_dsn).start()
    await boss.create_queue("mail")
    job_id = await boss.send("mail")
    await boss.work("mail", handler, **FAST)
    await handler.has(1)
    await asyncio.to_thread(durable_postgres_server.stop, "immediate")
    async with asyncio.timeout(15):
        await boss.stop(graceful=False)
    assert handler.cancelled == ["shutdown"]
    assert (
        f"1 jobs of queue mail were given up at the shutdown, and could not be failed, so that they expire: {job_id}"
        in (caplog.text)
    )
    await asyncio.to_thread(durable_postgres_server.start)


async def test_get_wip_data_tells_what_each_worker_is_about(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    handler = Counting()
    began = datetime.now(UTC)
    await pair.boss.send("mail")
    work_id = await pair.boss.work("mail", handler, batch_size=4, **FAST)
    await handler.has(1)
    (wip,) = pair.boss.get_wip_data()
    assert (wip.id, wip.work_id, wip.name, wip.state, wip.count) == (work_id, work_id, "mail", "active", 1)
    assert wip.options == {"include_metadata": False, "transactional": False, "batch_size": 4, **FAST}
    assert wip.last_job_started_on is not None
    assert began < wip.created_on < wip.last_job_started_on < began + timedelta(seconds=20)
    assert (wip.last_job_ended_on, wip.last_error, wip.last_error_on) == (None, None, None)
    handler.release.set()
    await idle(pair, work_id)
    assert pair.boss.get_wip_data()[0].last_job_ended_on is not None


@pytest.mark.parametrize(
    ("options", "node", "refusal"),
    [
        ({"batch_size": 0}, {"batchSize": 0}, "batch_size"),
        ({"batch_size": 1.5}, {"batchSize": 1.5}, "batch_size"),
        ({"local_concurrency": 0}, {"localConcurrency": 0}, "local_concurrency"),
        ({"polling_interval_seconds": 0.4}, {"pollingIntervalSeconds": 0.4}, "polling_interval_seconds"),
        ({"notify_polling_interval_seconds": 1}, {"notifyPollingIntervalSeconds": 1}, "notify_polling"),
        ({"burst_when_ready_exceeds": 0}, {"burstWhenReadyExceeds": 0}, "burst_when_ready_exceeds"),
        ({"burst_when_batch_full": 1}, {"burstWhenBatchFull": 1}, "burst_when_batch_full"),
        ({"heartbeat_refresh_seconds": 0}, {"heartbeatRefreshSeconds": 0}, "heartbeat_refresh_seconds"),
        ({"per_job_results": "yes"}, {"perJobResults": "yes"}, "per_job_results"),
        ({"group_concurrency": 0}, {"groupConcurrency": 0}, "group_concurrency"),
    ],
)
async def test_what_node_refuses_is_refused(
    pair: Pair, options: dict[str, Any], node: dict[str, Any], refusal: str
) -> None:
    assert await pair.node.refusal("work", "mail", {"pollingIntervalSeconds": 2, **node}) is not None
    with pytest.raises(InputError, match=refusal):
        await pair.boss.work("mail", Counting(), **options)
    assert pair.boss.get_wip_data() == []


async def test_what_cannot_be_meant_is_refused(pair: Pair) -> None:
    anything: Any = pair.boss
    with pytest.raises(InputError, match="unknown options: batchSize"):
        await anything.work("mail", Counting(), batchSize=3)
    with pytest.raises(InputError, match="async function"):
        await anything.work("mail", None)
    with pytest.raises(InputError, match="not started"):
        await PgBoss(pair.dsn).work("mail", Counting())
