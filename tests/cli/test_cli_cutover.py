"""`jobcore cutover`: what operators read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobcore.cli.exit_codes import ExitCode
from jobcore_devkit.temporal import TemporalServer

HELLO = ("enqueue", "say-hello", "--tenant", "system", "--data", '{"name": "Ada"}')
THERE = ("cutover", "--from", "pgboss", "--to", "temporal")


@pytest.fixture
def both(
    project: Path, database: str, jobcore_temporal: TemporalServer, temporal_namespace: str, monkeypatch: Any
) -> Path:
    """A project with both engines, which enqueues on pgboss."""
    for name, value in {
        "EDITION": "enterprise",
        "JOB_RUNNER_TYPE": "pgboss",
        "TEMPORAL_ADDRESS": jobcore_temporal.address,
        "TEMPORAL_NAMESPACE": temporal_namespace,
    }.items():
        monkeypatch.setenv(name, value)
    return project


def test_a_dry_run_counts_and_a_cutover_moves(both: Path, cli: Any) -> None:
    for _ in range(2):
        assert cli(*HELLO).code == 0
    rehearsed = cli(*THERE, "--dry-run")
    assert rehearsed.code == 0
    assert rehearsed.out.splitlines()[0].split() == [
        "handler",
        "would",
        "move",
        "schedules",
        "running",
        "arrived",
        "skipped",
    ]
    assert rehearsed.out.splitlines()[1].split() == ["say-hello", "2", "0", "0", "0", "0"]
    assert "No live worker serves the runner 'temporal'" in rehearsed.err
    document = cli(*THERE, "--json").document
    assert (document["moved"], document["dry_run"], document["handlers"][0]["handler"]) == (2, False, "say-hello")
    assert [job["runner_type"] for job in cli("jobs", "list", "--tenant", "system", "--json").document["jobs"]] == [
        "temporal"
    ] * 2
    assert cli(*THERE).out == "Nothing waits or runs on pgboss, and no schedule names it.\n"
    assert cli("cutover", "--from", "temporal", "--to", "pgboss", "--handler", "say-*", "--json").document["moved"] == 2


def test_the_bar_tells_how_many_are_over(
    both: Path, cli: Any, terminal: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli(*HELLO).code == 0
    shown: list[str] = []

    def watch(title: str) -> Any:
        from contextlib import nullcontext

        return nullcontext(lambda percent, text: shown.append(f"{title}: {percent:g} % {text}"))

    monkeypatch.setattr("jobcore.cli.cutover.progress_bar", watch)
    assert cli(*THERE).code == 0
    assert shown == ["From pgboss to temporal: 100 % 1 of 1 jobs"]


def test_what_cannot_be_meant_has_a_code_of_its_own(both: Path, cli: Any) -> None:
    assert cli("cutover", "--from", "pgboss", "--to", "pgboss").code == ExitCode.USAGE
    nowhere = cli("cutover", "--from", "pgboss", "--to", "moon")
    assert nowhere.code == ExitCode.CONFIGURATION
    assert "moon" in nowhere.err
