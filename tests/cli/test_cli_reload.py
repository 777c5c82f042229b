"""`jobcore reload` and SIGHUP, as operators use them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobcore.cli.exit_codes import ExitCode

SETTINGS = 'env = "development"\nhandlers = ["cli_jobs"]\n'


def change(project: Path, text: str) -> None:
    (project / "jobcore.toml").write_text(SETTINGS + text)


def test_sighup_reads_the_settings_anew(
    database: str, project: Path, start: Any, wait_until: Callable[..., None]
) -> None:
    worker = start("worker", until="started on pgboss")
    change(project, "[worker]\nconcurrency = 3\n[log]\nlevel = 'debug'\n")
    worker.signal(signal.SIGHUP)
    wait_until(lambda: worker.says("Setting worker.concurrency: the default is now 3"))
    assert worker.says("Setting log.level: the default is now debug")
    change(project, "[worker]\nconcurrency = 'many'\n")
    worker.signal(signal.SIGHUP)
    wait_until(lambda: worker.says("All settings stay as they were"))
    assert worker.says("worker.concurrency")
    change(project, "[log]\nlevel = 'error'\n")
    worker.signal(signal.SIGHUP)
    lines = len(worker.log.splitlines())
    worker.signal()
    assert worker.wait() == ExitCode.OK
    assert [line for line in worker.log.splitlines()[lines:] if " INFO " in line and "stopped" in line] == []


def test_reload_reaches_all_workers_over_the_database(
    database: str,
    project: Path,
    cli: Any,
    start: Any,
    wait_until: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert cli("reload").out == "No worker is live.\n"
    worker = start("worker", "--processes", "2", until="Worker process 2")
    change(project, "[worker]\nconcurrency = 4\n")
    wait_until(lambda: len(cli("reload", "--json", "--timeout", "0").document["workers"]) == 2)
    done = cli("reload", "--json")
    assert done.code == ExitCode.OK, done.out
    assert [answer["followed"] for answer in done.document["workers"]] == [True, True]
    assert [answer["open"] for answer in done.document["workers"]] == [[], []]
    wait_until(lambda: worker.log.count("Setting worker.concurrency: the default is now 4") == 2)
    (project / "mine.toml").write_text(SETTINGS)
    monkeypatch.setenv("JOBCORE_CONFIG", str(project / "mine.toml"))
    change(project, "[worker]\nconcurrency = 0\n")
    wrong = cli("reload")
    assert wrong.code == ExitCode.FAILED
    assert wrong.out.count("goes on as before: The settings cannot be used") == 2


def test_reload_says_what_is_left_to_a_restart(
    database: str, project: Path, cli: Any, start: Any, wait_until: Callable[..., None]
) -> None:
    start("worker", until="started on pgboss")
    wait_until(lambda: len(cli("reload", "--json").document["workers"]) == 1)
    change(project, "[postgres]\npool_max = 5\n")
    done = cli("reload")
    assert done.code == ExitCode.OK
    assert "done, but: postgres.pool_max counts from the next start on" in done.out


def test_a_supervisor_passes_sighup_on(
    database: str, project: Path, start: Any, wait_until: Callable[..., None]
) -> None:
    supervisor = start("worker", "--processes", "2", until="Worker process 2")
    change(project, "[worker]\nconcurrency = 6\n")
    os.kill(supervisor.process.pid, signal.SIGHUP)
    wait_until(lambda: supervisor.log.count("Setting worker.concurrency: the default is now 6") == 2)
    assert supervisor.says("2 worker processes read their settings anew")
