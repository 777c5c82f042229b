"""What a worker's event loop is: uvloop where it is installed, unless the settings forbid it."""

import sys

import pytest

from cli_constants import TENANT
from jobcore.cli.event_loop import choose_event_loop
from jobcore.cli.exit_codes import ExitCode
from jobcore.errors import ConfigurationError

WITH_ALL_KINDS = """
import asyncio
import subprocess
import sys
import time
from typing import Any

from jobcore import JobContext, job


@job("async-kind")
async def async_kind(ctx: JobContext, data: dict[str, Any]) -> str:
    await ctx.progress(50, "half")
    program = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(1)", stdout=subprocess.PIPE)
    told, _ = await program.communicate()
    return f"{type(asyncio.get_running_loop()).__module__} {told.decode().strip()}"


@job("thread-kind")
def thread_kind(ctx: JobContext, data: dict[str, Any]) -> str:
    time.sleep(0.05)
    return "thread"


@job("process-kind", execution="process")
def process_kind(ctx: JobContext, data: dict[str, Any]) -> str:
    return "process"
"""


@pytest.fixture
def kinds(project, monkeypatch):
    (project / "kinds.py").write_text(WITH_ALL_KINDS)
    (project / "jobcore.toml").write_text('handlers = ["kinds"]\n')
    yield
    sys.modules.pop("kinds", None)


@pytest.fixture
def _without_uvloop(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvloop", None)


def result_of(cli, name):
    answer = cli("enqueue", name, "--tenant", TENANT, "--wait", "--timeout", "20", "--json")
    assert answer.code == 0, answer.out
    return answer.document["result"]


@pytest.mark.parametrize(
    ("setting", "told", "module"), [("auto", "uvloop ", "uvloop"), ("asyncio", "asyncio", "asyncio")]
)
def test_every_kind_of_handler_runs_on_it(kinds, cli, start, database, monkeypatch, setting, told, module):
    monkeypatch.setenv("JOBCORE_WORKER__EVENT_LOOP", setting)
    worker = start("worker", until="jobs at a time")
    assert f"The event loop is {told}" in worker.log
    assert result_of(cli, "async-kind").partition(".")[0].partition(" ")[0] == module
    assert result_of(cli, "thread-kind") == "thread"
    assert result_of(cli, "process-kind") == "process"
    worker.signal()
    assert worker.wait() == ExitCode.OK


def test_doctor_says_which_one_workers_run_on(cli, database, monkeypatch):
    assert "workers run on uvloop" in cli("doctor").out
    monkeypatch.setenv("JOBCORE_WORKER__EVENT_LOOP", "asyncio")
    assert "workers run on asyncio" in cli("doctor").out


@pytest.mark.usefixtures("_without_uvloop")
def test_without_uvloop_it_is_pythons_own():
    assert (choose_event_loop("auto").name, choose_event_loop("auto").new) == ("asyncio", None)


@pytest.mark.usefixtures("_without_uvloop")
def test_one_that_is_required_and_missing_is_refused_with_the_command():
    with pytest.raises(ConfigurationError, match=r"pip install .*uvloop"):
        choose_event_loop("uvloop")


@pytest.mark.usefixtures("_without_uvloop")
def test_doctor_names_what_is_missing(cli, database, monkeypatch):
    assert "brings a faster one" in cli("doctor").out
    monkeypatch.setenv("JOBCORE_WORKER__EVENT_LOOP", "uvloop")
    answer = cli("doctor")
    assert answer.code == ExitCode.FAILED
    assert "which is not installed" in answer.out
