"""Fixtures that a test suite opts into: `pytest_plugins = ["jobcore.testing.fixtures"]`. They need pytest-asyncio.

Override `jobcore_handlers`, `jobcore_services` or `jobcore_mode` in your own conftest or module to say what is tested:

    @pytest.fixture
    def jobcore_handlers():
        return [send_reminder]

    async def test_a_reminder_is_sent(jobcore_app, job_runner):
        await send_reminder.enqueue(jobcore_app, Reminder(client="c-1"), tenant="system")
        await job_runner.drain()
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import pytest_asyncio

from jobcore.app.facade import JobApp
from jobcore.errors import ConfigurationError
from jobcore.memory.clock import MovableClock
from jobcore.memory.runner import MemoryRunner
from jobcore.testing.apps import memory_app


@pytest.fixture
def jobcore_handlers() -> list[Any]:
    """The handlers of `jobcore_app`; override it."""
    return []


@pytest.fixture
def jobcore_services() -> list[Any]:
    """The services of `jobcore_app`; override it."""
    return []


@pytest.fixture
def jobcore_mode() -> str:
    """When jobs of `jobcore_app` run: `manual` (by default), `inline` or `worker`; override it."""
    return "manual"


@pytest_asyncio.fixture
async def jobcore_app(
    jobcore_handlers: list[Any], jobcore_services: list[Any], jobcore_mode: str
) -> AsyncGenerator[JobApp]:
    """An open application in memory; in `worker` mode with a worker that runs."""
    app = memory_app(mode=jobcore_mode, handlers=jobcore_handlers, services=jobcore_services)
    async with app:
        worker = app.worker()
        await worker.start()
        yield app
        await worker.stop()


@pytest_asyncio.fixture
async def job_runner(jobcore_app: JobApp) -> MemoryRunner:
    """The runner of `jobcore_app`: `drain()`, `run_one()`, `advance(timedelta)`."""
    runner = await jobcore_app.runner()
    if not isinstance(runner, MemoryRunner):
        raise ConfigurationError(f"job_runner is for the memory runner, not for {runner.runner_type!r}.")
    return runner


@pytest.fixture
def jobcore_clock(job_runner: MemoryRunner) -> MovableClock:
    """The clock of `jobcore_app`, in manual mode. Moving it fires nothing by itself; `job_runner.advance` does both."""
    clock = job_runner.store.clock
    if not isinstance(clock, MovableClock):
        raise ConfigurationError("jobcore_clock needs jobcore_mode 'manual': in other modes time goes on by itself.")
    return clock
