"""The program as a whole: its help, its errors, what it loads and how quick it is."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from jobcore.cli import group
from jobcore.cli.exit_codes import MEANINGS, ExitCode
from jobcore.cli.main import app
from jobcore.errors import JobcoreError

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "init",
    "migrate",
    "worker",
    "dev",
    "enqueue",
    "jobs",
    "queues",
    "schedules",
    "plugins",
    "doctor",
    "version",
}


def commands(command, names=()):
    """Yield every command with the words that call it."""
    if names:
        yield " ".join(names), command
    if hasattr(command, "list_commands"):
        with command.make_context("jobcore", [], resilient_parsing=True) as context:
            for name in command.list_commands(context):
                yield from commands(command.get_command(context, name), (*names, name))


def test_help_lists_every_command_with_one_line_that_is_not_cut_off(cli):
    answer = cli("--help")
    assert answer.code == 0
    listed = dict(re.findall(r"^  (\w+) {2,}(\S.*)$", answer.out.partition("Commands:")[2], re.MULTILINE))
    assert set(listed) >= COMMANDS
    assert not [line for line in listed.values() if line.endswith("...")]


def test_every_command_option_and_argument_has_its_help(project):
    silent = [
        f"{words} {parameter.name}"
        for words, command in commands(get_command(app))
        for parameter in command.params
        if not parameter.help
    ]
    assert not silent
    assert not [words for words, command in commands(get_command(app)) if not command.help]


def test_every_command_that_prints_data_takes_json(project):
    without = {
        words
        for words, command in commands(get_command(app))
        if not hasattr(command, "list_commands") and "as_json" not in {parameter.name for parameter in command.params}
    }
    assert without == {
        "worker",  # a log
        "dev url",  # an address
        "dev env",  # variables
        "migrate sql",  # a script
        "webhooks keys",  # a file
    }


def test_without_arguments_the_program_shows_its_help_and_exits_with_2(cli):
    for arguments in ([], ["jobs"], ["schedules"]):
        answer = cli(*arguments)
        assert answer.code == ExitCode.USAGE
        assert answer.err.startswith("Usage: jobcore")
        assert "Error" not in answer.err


def test_an_unknown_command_names_near_ones(cli):
    answer = cli("schedule")
    assert answer.code == ExitCode.USAGE
    assert "There is no command 'schedule'. Did you mean 'schedules'" in answer.err


def test_a_command_of_a_distribution_that_is_not_installed_names_it(cli, monkeypatch):
    monkeypatch.setattr(group, "ELSEWHERE", {"chart": "jobcore-charts"})
    answer = cli("chart")
    assert answer.code == ExitCode.USAGE
    assert "jobcore-charts" in answer.err
    assert "docs/how-to/install-a-plugin.md" in answer.err


def test_who_looks_for_a_dashboard_is_told_what_there_is_instead(cli):
    answer = cli("dashboard")
    assert answer.code == ExitCode.USAGE
    assert "no dashboard yet" in answer.err
    assert "`jobcore jobs list`" in answer.err


def test_an_unknown_option_is_a_usage_error_in_text_and_in_json(cli):
    answer = cli("queues", "--colour")
    assert (answer.code, answer.out) == (ExitCode.USAGE, "")
    assert "No such option: --colour" in answer.err
    assert "Try 'jobcore queues --help'." in answer.err
    as_json = cli("queues", "--json", "--colour")
    assert as_json.document["error"]["type"] == "UsageError"
    assert as_json.document["error"]["exit_code"] == as_json.code == ExitCode.USAGE
    assert as_json.err == ""


def test_the_version_is_told_with_python_and_every_distribution(cli):
    assert cli("--version").out.startswith("jobcore 0.")
    document = cli("version", "--json").document
    assert document["distributions"]["jobcore-core"] == document["jobcore"]
    assert "jobcore-pgboss-runner" in cli("version").out


def test_wrong_settings_name_the_variable_and_what_is_accepted(cli, monkeypatch):
    monkeypatch.setenv("JOBCORE_WORKER__CONCURRENCY", "many")
    for arguments in (["queues"], ["plugins", "list"], ["worker"], ["enqueue", "say-hello"]):
        answer = cli(*arguments)
        assert answer.code == ExitCode.CONFIGURATION
        assert "JOBCORE_WORKER__CONCURRENCY" in answer.err
        assert "many" not in answer.err
    document = cli("queues", "--json").document
    assert document["error"]["type"] == "ConfigurationError"


def test_help_is_shown_although_the_settings_are_wrong(cli, monkeypatch):
    monkeypatch.setenv("EDITION", "gold")
    answer = cli("--help")
    assert answer.code == 0
    assert "doctor" in answer.out
    assert "EDITION" in answer.err


def test_without_a_database_the_message_says_how_to_name_one(cli):
    answer = cli("jobs", "list")
    assert answer.code == ExitCode.CONFIGURATION
    assert "DATABASE_URL" in answer.err


def test_a_runner_that_is_not_in_use_is_answered_with_its_distribution(cli, monkeypatch):
    monkeypatch.setenv("JOB_RUNNER_TYPE", "temporal")
    monkeypatch.setenv("EDITION", "enterprise")
    monkeypatch.setenv("JOBCORE_PLUGINS__ALLOW", "jobcore-postgres-storage")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    answer = cli("queues")
    assert answer.code == ExitCode.CONFIGURATION
    assert "jobcore-temporal-runner" in answer.err


def test_a_database_that_cannot_be_reached_exits_with_4_and_hides_the_password(cli, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody:hunter2@127.0.0.1:1/none")
    for arguments in (["queues"], ["jobs", "list"], ["migrate", "status"], ["worker"]):
        answer = cli(*arguments)
        assert answer.code == ExitCode.UNREACHABLE, answer.err
        assert "cannot be reached" in answer.err
        assert "hunter2" not in answer.err + answer.out
        assert "Traceback" not in answer.err


@pytest.fixture
def fault(monkeypatch):
    def fail(work):
        raise RuntimeError("postgresql://me:hunter2@db/app")

    monkeypatch.setattr("jobcore.cli.queues.ask", fail)


def test_a_fault_of_the_program_is_told_in_one_line_without_secrets(cli, fault):
    answer = cli("queues")
    assert answer.code == ExitCode.INTERNAL
    assert answer.err.startswith("Error: Unexpected RuntimeError: postgresql://")
    assert "--debug" in answer.err
    assert "hunter2" not in answer.err
    assert "Traceback" not in answer.err
    assert cli("queues", "--json").document["error"]["type"] == "InternalError"


def test_debug_shows_where_a_fault_or_an_error_came_from(cli, fault):
    with pytest.raises(RuntimeError):
        cli("--debug", "queues")
    with pytest.raises(JobcoreError):
        cli("--debug", "jobs", "list")


def test_no_message_prints_a_bare_install_command():
    bare = re.compile(r"pip install [\"']?jobcore(?![-\w])")
    sources = [*ROOT.glob("core/src/**/*"), *ROOT.glob("plugins/*/src/**/*")]
    found = [
        path for path in sources if path.suffix in {".py", ".sql", ".toml", ".txt"} and bare.search(path.read_text())
    ]
    assert not found


def test_listing_plugins_imports_no_plugin_and_no_driver(project):
    script = (
        "import sys, json\nfrom jobcore.cli.main import app\n"
        "try:\n    app(['plugins', 'list'])\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "jobcore-pgboss-runner" in done.stdout
    loaded = {name.partition(".")[0] for name in json.loads(done.stderr)}
    assert not loaded & {"psycopg", "psycopg_pool", "temporalio", "fastapi", "rich"}
    assert not loaded & {"jobcore_postgres", "jobcore_pgboss", "jobcore_temporal", "jobcore_handlers", "jobcore_devkit"}


def test_every_exit_code_has_a_meaning():
    assert set(MEANINGS) == set(ExitCode)


def test_a_command_of_a_plugin_that_is_left_out_says_why(cli):
    answer = cli("temporal", "setup")
    assert answer.code == ExitCode.USAGE
    assert "jobcore-temporal-runner" in answer.err
    assert "set EDITION=enterprise" in answer.err
