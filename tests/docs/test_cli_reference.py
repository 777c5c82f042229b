"""The page about the command line says what the program says."""

import pytest

from support.cli_reference import PAGE, render


@pytest.fixture
def plain_environment(monkeypatch, tmp_path):
    """An environment in which nothing leaves a plugin's commands out."""
    monkeypatch.chdir(tmp_path)
    for variable in ("JOBCORE_PLUGINS__ALLOW", "JOBCORE_PLUGINS__BLOCK", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)


def test_the_reference_is_the_programs_own_help(plain_environment):
    """Every command, argument, option and exit code stands there, in the words of `--help`."""
    assert PAGE.read_text(encoding="utf-8") == render(), "run: python tests/support/cli_reference.py"


def test_every_command_has_its_section(plain_environment):
    page = PAGE.read_text(encoding="utf-8")
    for command in (
        "init",
        "worker",
        "dev",
        "dev url",
        "dev env",
        "enqueue",
        "queues",
        "doctor",
        "check",
        "why",
        "version",
        "migrate",
        "plugins",
    ):
        assert f"# jobcore {command}\n" in page
    for verb in ("list", "show", "cancel", "retry", "wait"):
        assert f"### jobcore jobs {verb}\n" in page
    for verb in ("list", "add", "pause", "resume", "trigger", "remove", "preview"):
        assert f"### jobcore schedules {verb}\n" in page
