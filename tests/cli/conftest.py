"""The program as its users see it: arguments in, text and an exit code out."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from jobcore.cli.main import app

OURS = re.compile(r"JOBCORE_|JOB_RUNNER|DB_|DATABASE_URL|EDITION|TEMPORAL_|BULL_BOARD")
SECONDS = 30.0

JOBS = '''
import asyncio
from pathlib import Path
from typing import Any

from jobcore import JobContext, JobData, NonRetryableError, RetryPolicy, job


class Greeting(JobData):
    name: str
    times: int = 1


@job("say-hello")
async def say_hello(ctx: JobContext, data: Greeting) -> dict[str, str]:
    await ctx.progress(50, "thinking")
    return {"greeting": " ".join([f"Hello, {data.name}!"] * data.times)}


@job("fail", retry=RetryPolicy(max_attempts=1))
async def fail(ctx: JobContext, data: dict[str, Any]) -> None:
    raise NonRetryableError("no \\x1b[31mway\\x1b[0m")


@job("hold")
async def hold(ctx: JobContext, data: dict[str, Any]) -> str:
    """Run until the file `release` is there, or until told to stop."""
    Path(f"running-{ctx.attempt}").touch()
    while not Path("release").exists():
        ctx.signal.raise_if_aborted()
        await asyncio.sleep(0.02)
    return "released"
'''


@dataclass(frozen=True)
class Answer:
    """What the program said."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on standard output."""
        return json.loads(self.out)


Cli = Callable[..., Answer]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own with settings and a module of jobs, in an environment without our variables."""
    for variable in [name for name in os.environ if OURS.match(name)]:
        monkeypatch.delenv(variable)
    (tmp_path / "jobcore.toml").write_text('env = "development"\nhandlers = ["cli_jobs"]\n')
    (tmp_path / "cli_jobs.py").write_text(JOBS)
    monkeypatch.chdir(tmp_path)
    path, handlers = list(sys.path), logging.root.handlers[:]
    yield tmp_path
    sys.path[:] = path
    sys.modules.pop("cli_jobs", None)
    sys.modules.pop("jobs", None)
    logging.root.handlers[:] = handlers


@pytest.fixture
def cli(project: Path) -> Cli:
    """Run the program in this process."""
    runner = CliRunner()

    def run(*arguments: str, stdin: str | None = None) -> Answer:
        result = runner.invoke(app, list(arguments), input=stdin, catch_exceptions=False)
        return Answer(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def database(database_dsn: str, monkeypatch: pytest.MonkeyPatch, project: Path) -> str:
    """A migrated database of its own, named in the environment."""
    monkeypatch.setenv("DATABASE_URL", database_dsn)
    return database_dsn


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Terminal]:
    """Make `stdout` or `stderr` a terminal; called in the test, because pytest sets both anew before it."""

    def connect(name: str) -> Terminal:
        screen = Terminal()
        monkeypatch.setattr(sys, name, screen)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "120")
        return screen

    return connect


@pytest.fixture
def wait_until() -> Callable[..., None]:
    def wait(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the condition did not become true"
            time.sleep(0.02)

    return wait


class Program:
    """The program as a process of its own, whose log goes to a file."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._log = folder / f"{arguments[0]}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from jobcore.cli.main import run; run()", *arguments],
                stdout=log,
                stderr=log,
                cwd=folder,
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    def says(self, text: str) -> bool:
        """Whether the log has the text; fails if the program ended without it."""
        if text in self.log:
            return True
        assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.log}"
        return False

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        return self.process.wait(SECONDS)


Start = Callable[..., Program]


@pytest.fixture
def start(project: Path, database_dsn: str, wait_until: Callable[..., None]) -> Iterator[Start]:
    """Start the program in the background and wait until it says `until`; what still runs at the end is stopped.

    It asks for the database because a worker that is to stop must still have it.
    """
    programs: list[Program] = []

    def begin(*arguments: str, until: str) -> Program:
        program = Program(project, *arguments)
        programs.append(program)
        wait_until(lambda: program.says(until))
        return program

    yield begin
    for program in programs:
        if program.process.poll() is None:
            program.signal()
            program.wait()
