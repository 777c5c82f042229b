"""The thread that waits for a blocking call does errands for the loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from jobcore.app.loop_thread import LoopThread
from jobcore.ports.calling_thread import calling_thread, in_calling_thread


@pytest.fixture
def loop():
    loop = LoopThread("test-loop")
    yield loop
    loop.stop()


async def which_thread() -> threading.Thread:
    return await in_calling_thread(threading.current_thread)


def test_work_is_done_in_the_thread_that_waits(loop: LoopThread):
    found: list[bool] = []

    def call() -> None:
        found.append(loop.run(which_thread()) is threading.current_thread())

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    call()
    assert found == [True] * 5


def test_errands_are_done_one_after_another_and_their_errors_come_back(loop: LoopThread):
    def fail() -> None:
        raise LookupError("nothing there")

    async def ask() -> list[object]:
        return await asyncio.gather(which_thread(), in_calling_thread(fail), which_thread(), return_exceptions=True)

    first, error, third = loop.run(ask())
    assert first is third is threading.current_thread()
    assert isinstance(error, LookupError)


def test_an_interrupt_during_an_errand_reaches_the_caller_and_spares_the_loop(loop: LoopThread):
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.run(in_calling_thread(interrupt))
    assert loop.run(which_thread()) is threading.current_thread()


def test_a_task_that_outlives_the_call_has_no_calling_thread(loop: LoopThread):
    async def begin() -> asyncio.Task[bool]:
        called = asyncio.Event()
        task = asyncio.create_task(outlive(called))
        asyncio.get_running_loop().call_later(0.05, called.set)
        return task

    async def outlive(called: asyncio.Event) -> bool:
        await called.wait()
        return calling_thread() is None and await which_thread() is not threading.main_thread()

    async def end(task: asyncio.Task[bool]) -> bool:
        return await task

    assert loop.run(end(loop.run(begin())))


async def test_without_one_the_work_is_done_beside_the_loop():
    assert calling_thread() is None
    assert await which_thread() is not threading.current_thread()


async def test_a_cancellation_waits_for_the_work():
    go, ended = threading.Event(), threading.Event()
    began = asyncio.Event()
    loop = asyncio.get_running_loop()

    def work() -> None:
        loop.call_soon_threadsafe(began.set)
        go.wait(10)
        ended.set()

    task = asyncio.create_task(in_calling_thread(work))
    await began.wait()
    task.cancel()
    loop.call_later(0.05, go.set)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()
