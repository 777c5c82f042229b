"""`jobcore dev`: everything in one command, and nothing left behind but the data."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from jobcore.cli.exit_codes import ExitCode


@pytest.fixture
def project(project, monkeypatch):
    """A folder that everybody may pass, unlike pytest's own, so that root's server keeps its data there."""
    folder = Path(tempfile.mkdtemp(prefix="jobcore-cli-"))
    folder.chmod(0o755)
    for file in project.iterdir():
        shutil.copy(file, folder)
    monkeypatch.chdir(folder)
    yield folder
    shutil.rmtree(folder)


def program(*arguments, **variables):
    command = [sys.executable, "-c", "from jobcore.cli.main import run; run()", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=os.environ | variables, timeout=60)


def test_dev_runs_all_that_a_job_needs_and_ctrl_c_stops_it(start, project, wait_until):
    dev = start("dev", until="jobs at a time")
    assert "jobcore dev url" in dev.log
    url = program("dev", "url").stdout.strip()
    assert url.startswith("postgresql://")
    hello = ("enqueue", "say-hello", "--tenant", "system", "--data", '{"name": "Ada"}')
    done = program(*hello, "--wait", "--timeout", "20", "--json", DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["result"] == {"greeting": "Hello, Ada!"}
    dev.signal(signal.SIGINT)
    assert dev.wait() == ExitCode.OK
    assert "Traceback" not in dev.log
    assert program("queues", DATABASE_URL=url).returncode == ExitCode.UNREACHABLE
    gone = program("dev", "url")
    assert gone.returncode == ExitCode.FAILED
    assert "start one" in gone.stderr


def test_dev_shows_no_secret(start, project):
    dev = start("dev", "--no-worker", until="Ctrl-C stops all")
    password = next(project.glob(".jobcore/postgres/*password*"), None)
    if password is not None:
        assert password.read_text().strip() not in dev.log
    assert "://" not in dev.log
    dev.signal(signal.SIGTERM)
    assert dev.wait() == ExitCode.OK


def test_a_second_dev_shares_the_database_and_the_first_may_leave(start, project, wait_until):
    first = start("dev", "--no-worker", until="Ctrl-C stops all")
    (project / "dev.log").rename(project / "first.log")
    second = start("dev", "--no-worker", until="Ctrl-C stops all")
    first.signal(signal.SIGTERM)
    first.wait()
    assert program("queues", DATABASE_URL=program("dev", "url").stdout.strip()).returncode == 0
    second.signal(signal.SIGTERM)
    assert second.wait() == ExitCode.OK


def test_dev_keeps_jobs_between_runs(start, project):
    for expected in (1, 2):
        dev = start("dev", "--no-worker", until="Ctrl-C stops all")
        url = program("dev", "url").stdout.strip()
        assert program("enqueue", "hold", "--tenant", "system", DATABASE_URL=url).returncode == 0
        jobs = json.loads(program("jobs", "list", "--json", DATABASE_URL=url).stdout)["jobs"]
        assert len(jobs) == expected
        dev.signal(signal.SIGTERM)
        dev.wait()
