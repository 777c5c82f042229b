"""How jobs end that the face's workers handle, beside Node's workers on the same database."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from jobcore_pgboss.boss.job_results import JobResult
from jobcore_pgboss.boss.models import Job, JobWithMetadata
from pgboss_runner.boss_face import Pair
from pgboss_runner.harness import eventually

FAST: dict[str, Any] = {"polling_interval_seconds": 0.5}
ITS_OWN = {"id", "name", "created_on", "started_on", "start_after", "completed_on", "keep_until", "source_id"}
ITS_OWN |= {"source_created_on", "source_root_id", "source_name", "heartbeat_on", "output", "source_output"}
"""What differs between two jobs that ended alike in two queues."""


async def ended(pair: Pair, job_id: Any, *states: str, seconds: float = 20) -> dict[str, Any]:
    async def there() -> bool:
        return (await pair.job(job_id))["state"] in (states or ("completed", "failed"))

    await eventually(there, seconds)
    return await pair.job(job_id)


async def twins(pair: Pair, data: Any = None, queue: dict[str, Any] | None = None, **options: Any) -> tuple[str, str]:
    """Send the same job, from Node, to a queue of ours and to one that Node works."""
    for name in ("ours", "theirs"):
        await pair.node.call("createQueue", name, queue or {})
    ours, theirs = [await pair.node.call("send", name, data, options) for name in ("ours", "theirs")]
    return ours, theirs


async def alike(pair: Pair, ours: str, theirs: str, *states: str) -> tuple[dict[str, Any], dict[str, Any]]:
    one, other = await ended(pair, ours, *states), await ended(pair, theirs, *states)
    left, right = ({key: value for key, value in row.items() if key not in ITS_OWN} for row in (one, other))
    assert left == right
    return one, other


async def test_a_result_completes_the_job_as_nodes_worker_does(pair: Pair) -> None:
    ours, theirs = await twins(pair, {"n": 1})

    async def handler(jobs: list[Job]) -> Any:
        (job,) = jobs
        return {"by": "python", "got": job.data}

    await pair.boss.work("ours", handler, **FAST)
    await pair.node.call("work", "theirs")
    one, other = await alike(pair, ours, theirs)
    assert one["output"] == {"by": "python", "got": {"n": 1}}
    assert other["output"]["by"] == "node"


@pytest.mark.parametrize(("result", "output"), [(None, None), (7, {"value": 7}), (["a"], {"value": ["a"]})])
async def test_any_result_is_stored_as_complete_stores_it(pair: Pair, result: Any, output: Any) -> None:
    await pair.boss.create_queue("mail")
    job_id = await pair.boss.send("mail")

    async def handler(_: list[Job]) -> Any:
        return result

    await pair.boss.work("mail", handler, **FAST)
    assert (await ended(pair, job_id))["output"] == output


async def test_an_exception_fails_the_job_as_an_error_of_nodes_does(pair: Pair) -> None:
    await pair.node.call("createQueue", "graves")
    ours, theirs = await twins(pair, {"fail": True}, {"deadLetter": "graves"}, retryLimit=0)

    async def handler(_: list[Job]) -> Any:
        raise LookupError("no, says Python")

    await pair.boss.work("ours", handler, **FAST)
    await pair.node.call("work", "theirs")
    one, other = await alike(pair, ours, theirs)
    assert one["output"].keys() == other["output"].keys() == {"name", "message", "stack"}
    assert (one["output"]["name"], one["output"]["message"]) == ("LookupError", "no, says Python")
    assert "in handler" in one["output"]["stack"]
    buried = await pair.node.call("fetch", "graves", {"batchSize": 2, "includeMetadata": True})
    assert {job["sourceName"]: job["sourceOutput"]["message"] for job in buried} == {
        "ours": "no, says Python",
        "theirs": "no, says Node",
    }


async def test_a_failed_job_is_tried_again(pair: Pair) -> None:
    await pair.boss.create_queue("mail", retry_limit=2, retry_delay=0)
    job_id = await pair.node.call("send", "mail")
    tries: list[int] = []

    async def handler(jobs: list[JobWithMetadata]) -> Any:
        tries.append(jobs[0].retry_count)
        assert jobs[0].state == "active"
        if len(tries) < 3:
            raise OSError("not yet")

    await pair.boss.work("mail", handler, include_metadata=True, **FAST)
    assert (await ended(pair, job_id))["retry_count"] == 2
    assert tries == [0, 1, 2]


async def test_a_result_that_is_no_json_fails_the_job(pair: Pair) -> None:
    await pair.boss.create_queue("mail", retry_limit=0)
    ids = [await pair.boss.send("mail", data) for data in ({"n": 1}, {"n": 2}, {"n": 3})]
    results = {1: object(), 2: "nul: \x00", 3: "fine"}

    async def handler(jobs: list[Job]) -> Any:
        return results[jobs[0].data["n"]]

    await pair.boss.work("mail", handler, local_concurrency=3, **FAST)
    rows = [await ended(pair, job_id) for job_id in ids]
    assert [row["state"] for row in rows] == ["failed", "failed", "completed"]
    assert "not JSON serializable" in rows[0]["output"]["message"]
    assert "unsupported Unicode escape" in rows[1]["output"]["message"]


async def test_a_handler_that_takes_too_long_is_cancelled_and_its_job_fails_as_with_node(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    ours, theirs = await twins(pair, {"hang": True}, expireInSeconds=1, retryLimit=0)
    seen: list[str] = []

    async def handler(jobs: list[Job]) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append(str(jobs[0].signal.kind))
            raise LookupError("while it cleaned up") from None

    await pair.boss.work("ours", handler, **FAST)
    await pair.node.call("work", "theirs")
    one, other = await alike(pair, ours, theirs)
    assert one["output"]["message"] == other["output"]["message"] == "handler execution exceeded 1s"
    assert seen == ["timed out"]
    assert "that was cancelled ended with an error: LookupError('while it cleaned up')" in caplog.text
    again = await pair.boss.send("ours", expire_in_seconds=1, retry_limit=0)
    await ended(pair, again)  # the worker goes on


async def test_a_handler_that_ignores_its_cancellation_holds_its_worker(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    await pair.boss.create_queue("mail", retry_limit=0, expire_in_seconds=1)
    stubborn, release = await pair.boss.send("mail", {"n": 1}), asyncio.Event()
    begun: list[int] = []

    async def handler(jobs: list[Job]) -> Any:
        begun.append(jobs[0].data["n"])
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    work_id = await pair.boss.work("mail", handler, **FAST)
    assert (await ended(pair, stubborn))["state"] == "failed"
    await eventually(lambda: logged(caplog, "runs on though it was cancelled"))
    assert [(wip.count, wip.state) for wip in pair.boss.get_wip_data()] == [(0, "active")]
    other = await pair.boss.send("mail", {"n": 2})
    pair.boss.notify_worker(work_id)
    await another_worker_has_worked(pair)
    assert ((await pair.job(other))["state"], begun) == ("created", [1])
    release.set()
    assert (await ended(pair, other))["state"] == "completed"


async def another_worker_has_worked(pair: Pair) -> None:
    """By when whoever was woken before has fetched too."""

    async def nothing(_: list[Job]) -> None: ...

    await pair.boss.create_queue("other")
    job_id = await pair.boss.send("other")
    await pair.boss.work("other", nothing, **FAST)
    await ended(pair, job_id)


async def logged(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return text in caplog.text


async def test_a_batch_ends_together(pair: Pair) -> None:
    await pair.boss.create_queue("mail", retry_limit=0)
    ids = [await pair.node.call("send", "mail", {"n": n}) for n in range(5)]
    sizes: list[int] = []

    async def handler(jobs: list[Job]) -> Any:
        sizes.append(len(jobs))
        if len(jobs) < 3:
            raise ValueError("too few")
        return {"lost": True}

    await pair.boss.work("mail", handler, batch_size=3, **FAST)
    rows = [await ended(pair, job_id) for job_id in ids]
    assert sizes == [3, 2]
    assert [row["state"] for row in rows] == ["completed"] * 3 + ["failed"] * 2
    assert rows[0]["output"] is None
    assert rows[4]["output"]["message"] == "too few"


async def test_each_job_of_a_batch_may_end_by_its_own_as_with_node(pair: Pair) -> None:
    await pair.node.call("createQueue", "graves")
    for name in ("ours", "theirs"):
        await pair.node.call("createQueue", name, {"deadLetter": "graves", "retryLimit": 5, "retryDelay": 600})
    wanted = [
        {"status": "completed", "output": {"n": 1}},
        {"status": "failed", "output": "no route"},
        {"status": "deadletter", "output": {"why": "poison"}},
        None,
    ]
    ours, theirs = [[await pair.node.call("send", name, data) for data in wanted] for name in ("ours", "theirs")]

    async def handler(jobs: list[Job]) -> Any:
        return [JobResult(job.id, **job.data) for job in jobs if job.data]

    await pair.boss.work("ours", handler, batch_size=4, per_job_results=True, **FAST)
    await pair.node.call("workEach", "theirs", {"batchSize": 4})
    rows = [await alike(pair, *both, "completed", "failed", "retry") for both in zip(ours, theirs, strict=True)]
    assert [one["state"] for one, _ in rows] == ["completed", "retry", "failed", "retry"]
    assert [one["output"] == other["output"] for one, other in rows] == [True, True, True, False]
    assert rows[3][0]["output"]["message"] == rows[3][1]["output"]["message"] == "no disposition returned by handler"
    buried = await pair.node.call("fetch", "graves", {"batchSize": 9, "includeMetadata": True})
    assert sorted((job["sourceName"], job["sourceOutput"]["why"]) for job in buried) == [
        ("ours", "poison"),
        ("theirs", "poison"),
    ]


async def test_a_handler_that_answers_no_list_of_results_fails_its_batch(pair: Pair) -> None:
    await pair.boss.create_queue("mail", retry_limit=0)
    job_id = await pair.boss.send("mail")

    async def handler(_: list[Job]) -> Any:
        return "fine"

    await pair.boss.work("mail", handler, per_job_results=True, **FAST)
    assert "must return a list of JobResult" in (await ended(pair, job_id))["output"]["message"]


async def test_a_running_job_keeps_its_heartbeat_and_its_handler_hears_when_it_is_taken_away(pair: Pair) -> None:
    await pair.boss.create_queue("mail", heartbeat_seconds=10, retry_limit=0)
    job_id = await pair.boss.send("mail")
    lost: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

    async def handler(jobs: list[Job]) -> Any:
        await jobs[0].signal.wait()
        lost.set_result(jobs[0].signal.kind)

    await pair.boss.work("mail", handler, heartbeat_refresh_seconds=0.05, **FAST)
    first = (await ended(pair, job_id, "active"))["heartbeat_on"]
    await eventually(lambda: beats_after(pair, job_id, first))
    await pair.node.call("fail", "mail", str(job_id))
    async with asyncio.timeout(10):
        assert await lost == "lost"
    assert (await pair.job(job_id))["state"] == "failed"


async def beats_after(pair: Pair, job_id: UUID | None, instant: Any) -> bool:
    return (await pair.job(job_id))["heartbeat_on"] > instant


async def test_an_attempt_that_was_lost_does_not_settle_the_next_one(pair: Pair) -> None:
    await pair.boss.create_queue("mail", retry_limit=3, retry_delay=0)
    job_id = await pair.boss.send("mail")
    release = asyncio.Event()

    async def handler(_: list[Job]) -> Any:
        await release.wait()
        return "late"

    await pair.boss.work("mail", handler, **FAST)
    await ended(pair, job_id, "active")
    await pair.node.call("fail", "mail", str(job_id))
    (again,) = await pair.node.call("fetch", "mail")
    release.set()
    await pair.boss.off_work("mail")
    row = await pair.job(job_id)
    assert (row["state"], row["retry_count"], again["retryCount"]) == ("active", 1, 1)
