"""F15: settings are read anew while the application works, and it takes over what can change."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from jobcore import JobApp, JobContext, JobData, job
from jobcore.app.reload import Change, reload_if_possible
from jobcore.errors import ConfigurationError
from jobcore.ids import SYSTEM_TENANT
from jobcore.memory import MemoryMode, MemoryRunner
from jobcore.settings import Settings
from support.fleet import eventually


class Data(JobData):
    n: int = 0


@job("report-daily")
async def report(ctx: JobContext, data: Data) -> None: ...


@job("hold")
async def hold(ctx: JobContext, data: Data) -> None:
    await ctx.signal.wait()


START = """
[worker]
concurrency = 2
[plugins]
allow = []
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "jobcore.toml"
    path.write_text(START)
    return path


def write(file: Path, text: str) -> None:
    file.write_text(text)


@pytest.fixture
async def app(file: Path) -> AsyncIterator[JobApp]:
    settings = Settings.load(env={}, folder=file.parent)
    async with JobApp(settings, handlers=[report, hold], runner=MemoryRunner(mode=MemoryMode.WORKER)) as app:
        yield app


async def test_what_has_changed_is_taken_over_and_logged_once(
    app: JobApp, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    write(file, START.replace("2", "7") + '[routes]\n"report-*" = "memory"\n')
    worker = app.worker()
    done = await app.reload()
    assert done.applied == (
        Change("routes", {}, {"report-*": {"runner": "memory", "percent": 100}}),
        Change("worker.concurrency", 2, 7),
    )
    assert "Setting worker.concurrency: 2 is now 7" in caplog.messages
    caplog.clear()
    assert (await app.reload()).applied == ()
    assert caplog.messages == ["No setting has changed"]
    del worker


async def test_a_worker_runs_more_and_fewer_jobs_at_a_time(app: JobApp, file: Path) -> None:
    worker = app.worker()
    await worker.start()
    await app.enqueue_many(hold, [Data()] * 8, tenant=SYSTEM_TENANT)
    for wanted in (2, 5):
        write(file, START.replace("2", str(wanted)))
        await app.reload()

        async def runs(wanted: int = wanted) -> bool:
            return len(worker.running()) == wanted

        await eventually(runs, f"{wanted} jobs run")
    await worker.stop(timedelta())


async def test_a_worker_that_was_given_its_concurrency_keeps_it(app: JobApp, file: Path) -> None:
    worker = app.worker(concurrency=3)
    write(file, START.replace("2", "7"))
    assert (await app.reload()).refused == ("worker.concurrency",)
    assert worker.changeable == frozenset()


async def test_a_route_to_a_runner_that_is_not_there_leaves_all_as_it_was(app: JobApp, file: Path) -> None:
    write(file, START.replace("2", "9") + '[routes]\n"report-*" = "another"\n')
    worker = app.worker()
    with pytest.raises(ConfigurationError, match="another"):
        await app.reload()
    await app.enqueue(report, Data(), tenant=SYSTEM_TENANT)
    write(file, START)
    assert (await app.reload()).applied == ()
    del worker


async def test_what_cannot_change_is_refused_by_its_name_and_the_rest_is_taken_over(
    app: JobApp, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "postgresql://user:hunter2@elsewhere/jobs"
    write(file, START.replace("2", "4") + f'[database]\nurl = "{secret}"\n')
    worker = app.worker()
    done = await app.reload()
    assert [change.key for change in done.applied] == ["worker.concurrency"]
    assert done.refused == ("database.url",)
    assert "Setting database.url has changed, and cannot change while this runs" in caplog.text
    assert "hunter2" not in caplog.text
    assert worker.changeable == {"worker.concurrency"}


async def test_settings_that_cannot_be_used_leave_all_as_it_was(
    app: JobApp, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    worker = app.worker()
    write(file, START.replace("2", "9") + '[log]\nlevel = "loud"\n')
    problem = await reload_if_possible(app.reload, "the test")
    assert problem is not None
    assert "[log] level" in problem
    assert "All settings stay as they were" in caplog.text
    write(file, START)
    assert (await app.reload()).applied == ()
    del worker


async def test_settings_that_the_program_made_cannot_be_read_again() -> None:
    app = JobApp(Settings(plugins={"allow": []}), runner=MemoryRunner())
    with pytest.raises(ConfigurationError, match="made in the program"):
        await app.reload()


async def test_two_reloads_at_once_take_a_change_over_once(app: JobApp, file: Path) -> None:
    worker = app.worker()
    write(file, START.replace("2", "5"))
    both = await asyncio.gather(app.reload(), app.reload())
    assert sorted(len(done.applied) for done in both) == [0, 1]
    del worker
