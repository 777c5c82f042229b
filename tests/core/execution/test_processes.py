"""Handlers in processes of their own: they can be killed, and their death is a failed attempt, not the worker's."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jobcore import JobContext, job
from jobcore.errors import InvalidHandlerError
from jobcore.execution import Abort, check_process_handler
from jobcore.execution.verdict import STOPPED_BY_FORCE
from jobcore.ids import uuid7
from jobcore.models import Enqueued, NewJob, Outcome
from support import process_handlers as handlers
from support.execution import Bench, until

ALL = [value for value in vars(handlers).values() if hasattr(value, "execution") and hasattr(value, "enqueue")]


@pytest.fixture
async def bench():
    async with Bench(*ALL, cleanup_grace=timedelta(seconds=3)) as bench:
        yield bench


def gone(pid: int) -> bool:
    """Whether no process has this id, not even as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def patient(bench: Bench, handler: Any) -> Any:
    """Give a handler a time-out that a slow machine's start of a process does not reach."""
    return bench.registry.register(replace(handler, timeout=timedelta(minutes=1)), force=True)


async def begun(bench: Bench) -> int:
    """Wait until the handler reported its process id as progress."""
    await until(lambda: bench.session.progress_rows, seconds=20)
    return int(bench.session.progress_rows[-1][1] or 0)


async def test_a_handler_runs_in_another_process_that_is_reused(bench: Bench) -> None:
    first = await bench.run(handlers.pid, {"amount": 7})
    assert first.outcome is Outcome.COMPLETED, first.error
    result = json.loads(first.result)
    assert result["amount"] == 7
    assert result["pid"] != os.getpid()
    second = json.loads((await bench.run(handlers.pid_async)).result)
    assert second == result["pid"]
    assert bench.executor.process_ids() == [second]


async def test_at_most_as_many_processes_work_as_were_allowed() -> None:
    async with Bench(handlers.pid, processes=1) as bench:
        settlements = await asyncio.gather(*(bench.run(handlers.pid) for _ in range(4)))
    assert len({json.loads(settlement.result)["pid"] for settlement in settlements}) == 1


@pytest.mark.parametrize(
    ("what", "outcome", "told"),
    [
        ("error", Outcome.RETRY, "did not work"),
        ("final", Outcome.FAILED, "gone"),
        ("non-retryable", Outcome.FAILED, "never"),
        ("retry", Outcome.RETRY, "later"),
        ("snooze", Outcome.SNOOZED, ""),
        ("cancel", Outcome.CANCELLED, "no longer needed"),
        ("exit", Outcome.RETRY, "3"),
        ("not json", Outcome.COMPLETED, ""),
    ],
)
async def test_what_a_handler_says_crosses_the_border(bench: Bench, what: str, outcome: Outcome, told: str) -> None:
    settlement = await bench.run(handlers.raises, {"what": what})
    assert settlement.outcome is outcome, settlement.error
    assert told in json.dumps(dict(settlement.error or {}))
    assert "hunter2" not in json.dumps(dict(settlement.error or {}))
    assert len(bench.executor.process_ids()) == 1
    if what == "retry":
        assert settlement.retry_in == timedelta(seconds=90)
    if what == "snooze":
        assert settlement.retry_in == timedelta(minutes=3)
    if what == "error":
        assert "process_handlers.py" in settlement.error["traceback"]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("exit", "exited with status 3"),
        ("segfault", "was killed by SIGSEGV"),
        ("kill", "was killed by SIGKILL"),
        ("orphan", "exited with status 4"),
    ],
)
async def test_a_process_that_dies_is_a_failed_attempt_that_says_how(bench: Bench, how: str, told: str) -> None:
    settlement = await asyncio.wait_for(bench.run(handlers.dies, {"how": how}), 20)
    assert settlement.outcome is Outcome.RETRY
    assert told in settlement.error["message"]
    assert settlement.error["type"].endswith("HandlerProcessDiedError")
    assert bench.executor.process_ids() == []
    assert (await bench.run(handlers.pid)).outcome is Outcome.COMPLETED


async def test_a_process_that_is_killed_from_outside_leaves_no_zombie(bench: Bench) -> None:
    running = asyncio.create_task(bench.run(patient(bench, handlers.spins)))
    pid = await begun(bench)
    os.kill(pid, signal.SIGKILL)
    settlement = await asyncio.wait_for(running, 5)
    assert settlement.outcome is Outcome.RETRY
    assert "SIGKILL" in settlement.error["message"]
    assert gone(pid)


async def test_an_idle_process_that_died_is_replaced(bench: Bench) -> None:
    await bench.run(handlers.pid)
    (pid,) = bench.executor.process_ids()
    os.kill(pid, signal.SIGKILL)
    await until(lambda: os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None)
    settlement = await bench.run(handlers.pid)
    assert settlement.outcome is Outcome.COMPLETED
    assert json.loads(settlement.result)["pid"] != pid
    await until(lambda: gone(pid))


@pytest.mark.parametrize("handler", [handlers.spins, handlers.spins_async, handlers.deaf], ids=lambda it: it.name)
async def test_a_time_out_ends_the_process_and_retries(bench: Bench, handler: Any) -> None:
    await bench.run(handlers.pid)  # so that the time-out does not count the start of a process
    settlement = await asyncio.wait_for(bench.run(handler), 10)
    assert settlement.outcome is Outcome.RETRY
    assert settlement.error["type"].endswith("JobTimeoutError")
    pid = int(bench.session.progress_rows[-1][1] or 0)
    assert gone(pid)


@pytest.mark.parametrize("handler", [handlers.spins, handlers.spins_async, handlers.deaf], ids=lambda it: it.name)
async def test_a_cancelled_process_is_interrupted_then_killed(bench: Bench, handler: Any) -> None:
    abort = Abort()
    running = asyncio.create_task(bench.run(patient(bench, handler), abort=abort))
    pid = await begun(bench)
    asked = time.monotonic()
    abort.abort("not wanted", by="ada")
    settlement = await asyncio.wait_for(running, 10)
    assert settlement.outcome is Outcome.CANCELLED
    assert settlement.error == {"reason": "not wanted", "cancelled_by": "ada", "handler": STOPPED_BY_FORCE}
    assert time.monotonic() - asked < 5
    assert gone(pid)


async def test_a_process_sees_its_signal_and_may_leave_by_itself(bench: Bench) -> None:
    abort = Abort()
    running = asyncio.create_task(bench.run(patient(bench, handlers.heeds), abort=abort))
    pid = await begun(bench)
    abort.abort("superseded by a newer one", kind="superseded")
    settlement = await asyncio.wait_for(running, 5)
    assert settlement.outcome is Outcome.CANCELLED
    assert bench.session.details == {"reason": ("superseded by a newer one", None)}
    assert bench.executor.process_ids() == [pid]


async def test_a_cancelled_worker_task_takes_its_process_with_it(bench: Bench) -> None:
    running = asyncio.create_task(bench.run(patient(bench, handlers.spins)))
    pid = await begun(bench)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 5)
    await until(lambda: gone(pid))


async def test_a_process_reports_and_logs_through_its_worker(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        settlement = await bench.run(handlers.talks)
        again = await bench.run(handlers.talks, attempt=2)
    assert settlement.outcome is Outcome.COMPLETED, settlement.error
    pid, first, attempt, name = json.loads(settlement.result)
    assert (first, attempt, name) == (True, 1, "talks")
    assert json.loads(again.result) == [pid, False, 2, "talks"]
    assert bench.session.progress_rows[0] == (30, "working")
    assert bench.session.details["item"] == ("done", {"n": 1})
    assert bench.session.heartbeats == 2
    line = next(record for record in caplog.records if "hello worker" in record.message)
    assert line.message.startswith("[worker][talks:")
    assert (line.job, line.colour, line.levelno) == ("talks", "blue", logging.WARNING)
    assert any(record.name == "third.party" for record in caplog.records)


@pytest.fixture
async def planning() -> Any:
    """A bench whose handlers may enqueue, and what they planned."""
    planned: list[NewJob] = []

    def plan(parent: Any, name: Any, data: Any, delay: Any, priority: int) -> NewJob:
        child = NewJob(
            job_id=uuid7(),
            tenant=parent.tenant,
            name=name,
            payload=b"{}",
            runner_type="memory",
            queue=name,
            delay=delay,
        )
        planned.append(child)
        return child

    async def submit(jobs: Any, connection: Any) -> list[Enqueued]:
        return [Enqueued(new.job_id) for new in jobs]

    async with Bench(*ALL, plan_child=plan, submit=submit) as bench:
        yield bench, planned


async def test_an_async_handler_in_a_process_has_its_context(planning: Any) -> None:
    bench, planned = planning
    settlement = await bench.run(handlers.talks_async)
    assert settlement.outcome is Outcome.COMPLETED, settlement.error
    assert json.loads(settlement.result)[1:] == [True, str(planned[0].job_id)]
    assert (planned[0].name, planned[0].delay) == ("child", timedelta(seconds=3))


async def test_a_plain_handler_in_a_process_enqueues_a_follow_up(planning: Any) -> None:
    bench, planned = planning
    settlement = await bench.run(handlers.follows_up)
    assert settlement.outcome is Outcome.COMPLETED, settlement.error
    [child] = planned
    assert json.loads(settlement.result) == str(child.job_id)
    assert (child.name, child.delay, child.tenant) == ("child", timedelta(seconds=3), settlement.claim.tenant)


async def test_what_a_process_cannot_have_is_refused_with_the_reason(bench: Bench) -> None:
    refused = json.loads((await bench.run(handlers.asks_too_much)).result)
    assert len(refused) == 5
    assert all("ConfigurationError" in line and "shares no memory" in line for line in refused)


async def test_a_lost_claim_is_raised_in_the_process(bench: Bench) -> None:
    bench.session.lose()
    assert (await bench.run(handlers.claims_stale)).settled


def nested() -> Any:
    @job("nested", execution="process")
    def inside(ctx: JobContext, data: dict[str, Any]) -> None: ...

    return inside


async def test_a_handler_that_no_process_can_import_is_refused() -> None:
    with pytest.raises(InvalidHandlerError, match="defined inside a function"):
        check_process_handler(nested())

    @job("main", execution="process")
    def main(ctx: JobContext, data: dict[str, Any]) -> None: ...

    main.function.__module__, main.function.__qualname__ = "__main__", "main"
    with pytest.raises(InvalidHandlerError, match="main file"):
        check_process_handler(main)
    main.function.__module__, main.function.__qualname__ = "support.process_handlers", "Order"
    with pytest.raises(InvalidHandlerError, match="something else"):
        check_process_handler(main)
    async with Bench(nested()) as bench:
        with pytest.raises(InvalidHandlerError):
            bench.executor.check()
        settlement = await bench.run("nested")
    assert settlement.error["type"].endswith("InvalidHandlerError")


async def test_closing_ends_the_warm_processes_and_leaves_no_zombie() -> None:
    async with Bench(*ALL) as bench:
        await asyncio.gather(*(bench.run(handlers.pid) for _ in range(2)))
        pids = bench.executor.process_ids()
        assert pids
    assert all(gone(pid) for pid in pids)


PARENT = """
import asyncio, sys
from support import process_handlers as handlers
from support.execution import Bench

async def main():
    bench = Bench(handlers.spins)
    running = asyncio.create_task(bench.run(handlers.spins))
    while not bench.session.progress_rows:
        await asyncio.sleep(0.01)
    print(bench.session.progress_rows[0][1], flush=True)
    await running

asyncio.run(main())
"""


async def test_processes_die_with_a_worker_that_was_killed() -> None:
    tests = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([tests, os.environ.get("PYTHONPATH", "")])}
    worker = subprocess.Popen(  # noqa: ASYNC220 - starting takes a millisecond
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env=environment
    )
    try:
        assert worker.stdout is not None
        pid = int(await asyncio.to_thread(worker.stdout.readline))
        assert not gone(pid)
        worker.kill()
        worker.wait()
        await until(lambda: gone(pid) or _zombie_of_init(pid))
    finally:
        with suppress(ProcessLookupError):
            worker.kill()
        worker.wait()
        worker.stdout.close()


def _zombie_of_init(pid: int) -> bool:
    """A dead orphan that this machine's init has not yet collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
