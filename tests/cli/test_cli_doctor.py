"""`jobcore doctor`: each fault is found, and its remedy told."""

import re
from email.message import Message

import psycopg
import pytest

from jobcore.cli.doctor.installation import check_distributions
from jobcore.cli.exit_codes import ExitCode
from jobcore_postgres.migrations import down, migrate


def verdicts(document):
    return {check["name"]: check["verdict"] for check in document["checks"]}


def told(document, name):
    [check] = [check for check in document["checks"] if check["name"] == name]
    return f"{check['message']} {check['remedy'] or ''}"


def test_a_sound_installation_is_told_as_such(cli, database):
    answer = cli("doctor", "--json")
    assert answer.code == 0, answer.out
    found = verdicts(answer.document)
    assert answer.document["healthy"] is True
    assert set(found.values()) <= {"ok", "warning"}
    assert {
        "python",
        "distributions",
        "settings",
        "handlers",
        "postgres",
        "migrations",
        "clock",
        "pooler",
        "storage",
        "runner pgboss",
    } <= set(found)
    assert "cli_jobs" not in told(answer.document, "handlers")
    assert "say-hello" in told(answer.document, "handlers")


def test_warnings_are_told_with_their_remedy_and_fail_only_in_strict_mode(cli, database):
    document = cli("doctor", "--json").document
    assert "superuser" in told(document, "postgres")
    assert "jobcore worker" in told(document, "workers")
    assert cli("doctor").code == 0
    assert cli("doctor", "--strict").code == ExitCode.FAILED
    assert "→ Start one with `jobcore worker`" in cli("doctor").out


def test_live_workers_are_named(cli, start, database):
    worker = start("worker", until="jobs at a time")
    assert f":{worker.process.pid} (pgboss)" in told(cli("doctor", "--json").document, "workers")


def test_wrong_settings_are_a_finding_and_what_needs_them_is_skipped(cli, monkeypatch):
    monkeypatch.setenv("EDITION", "gold")
    answer = cli("doctor", "--json")
    assert answer.code == ExitCode.FAILED
    assert verdicts(answer.document)["settings"] == "failed"
    assert verdicts(answer.document)["plugins"] == "skipped"
    assert "EDITION" in told(answer.document, "settings")


def test_a_missing_runner_is_a_finding(cli, monkeypatch, database):
    monkeypatch.setenv("JOB_RUNNER_TYPE", "temporal")
    monkeypatch.setenv("EDITION", "enterprise")
    monkeypatch.setenv("JOBCORE_PLUGINS__ALLOW", "jobcore-postgres-storage")
    answer = cli("doctor", "--json")
    assert answer.code == ExitCode.FAILED
    assert "jobcore-temporal-runner" in told(answer.document, "required plugins")


def test_a_database_that_cannot_be_reached_is_told_once(cli, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:1/none")
    answer = cli("doctor")
    assert answer.code == ExitCode.FAILED
    assert "hunter2" not in answer.out
    found = verdicts(cli("doctor", "--json").document)
    assert (found["postgres"], found["clock"], found["pooler"]) == ("failed", "skipped", "skipped")


def test_a_database_without_a_schema_is_told_with_the_command(cli, monkeypatch, empty_database_dsn):
    monkeypatch.setenv("DATABASE_URL", empty_database_dsn)
    answer = cli("doctor", "--json")
    assert answer.code == ExitCode.FAILED
    assert "jobcore migrate" in told(answer.document, "postgres")


def test_tables_of_a_plugin_that_was_installed_later_are_missed(cli, database):
    down(database, "billing", to="0")
    found = told(cli("doctor", "--json").document, "migrations")
    assert re.search(r"\(\d+ of billing\): jobs that need their tables fail Run `jobcore migrate`", found)
    migrate(database)
    assert "billing" in told(cli("doctor", "--json").document, "migrations")


def test_a_pooler_is_noticed(cli, monkeypatch, project, pgbouncer_dsn):
    monkeypatch.setenv("DATABASE_URL", pgbouncer_dsn)
    document = cli("doctor", "--json").document
    assert "a pooler is in between" in told(document, "pooler")


def test_a_login_without_rights_is_a_finding(cli, monkeypatch, database, postgres_server):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("drop role if exists cli_nobody")
        connection.execute("create role cli_nobody login")
    name = database.partition("@/")[2].partition("?")[0]
    monkeypatch.setenv("DATABASE_URL", postgres_server.dsn(name, user="cli_nobody", password=""))
    answer = cli("doctor", "--json")
    assert answer.code == ExitCode.FAILED
    assert verdicts(answer.document)["postgres"] == "failed"


def test_handlers_that_cannot_be_imported_are_a_finding(cli, database, project):
    (project / "cli_jobs.py").write_text("import no_such_library\n")
    answer = cli("doctor", "--json")
    assert answer.code == ExitCode.FAILED
    assert "no_such_library" in told(answer.document, "application")


def test_a_broken_plugin_is_a_finding(cli, database, monkeypatch):
    monkeypatch.setenv("JOBCORE_PGBOSS__LEASE_SECONDS", "soon")
    answer = cli("doctor", "--json")
    assert answer.code == ExitCode.FAILED
    assert any("LEASE_SECONDS" in check["message"] for check in answer.document["checks"])


class Installed:
    """A distribution as metadata tells of it."""

    def __init__(self, name, version, requires=()):
        self.metadata = Message()
        self.metadata["Name"] = name
        self.version = version
        self.requires = list(requires)


def test_a_foreign_distribution_of_our_name_is_refused():
    finding = check_distributions([Installed("jobcore", "3.1"), Installed("jobcore-core", "0.1.0")])
    assert finding.verdict == "failed"
    assert "another project" in finding.message


def test_our_own_distribution_of_that_name_is_accepted():
    ours = [Installed("jobcore", "0.1.0", ["jobcore-core==0.1.0"]), Installed("jobcore_core", "0.1.0")]
    assert check_distributions(ours).verdict == "ok"


def test_distributions_of_different_versions_are_a_finding():
    finding = check_distributions([Installed("jobcore-core", "0.1.0"), Installed("jobcore-pgboss-runner", "0.0.9")])
    assert finding.verdict == "failed"
    assert "jobcore-pgboss-runner 0.0.9" in finding.message


@pytest.mark.parametrize("name", ["postgres", "jobcore-postgres-storage"])
def test_plugins_show_tells_what_a_plugin_says_of_itself(cli, name):
    [document] = cli("plugins", "show", name, "--json").document["plugins"]
    assert document["provides"]["storages"] == ["postgres"]
    assert document["migrations"] == "postgres"
    assert "database" in cli("plugins", "show", name).out


def test_plugins_show_names_near_ones_for_a_name_that_is_not_there(cli):
    answer = cli("plugins", "show", "postgre")
    assert answer.code == ExitCode.NOT_FOUND
    assert "Did you mean 'postgres'" in answer.err


def test_a_plugin_that_is_left_out_says_why(cli, monkeypatch):
    monkeypatch.setenv("JOBCORE_PLUGINS__BLOCK", "devkit")
    rows = {row["name"]: row for row in cli("plugins", "list", "--json").document["plugins"]}
    assert rows["devkit"]["state"] == "disabled"
    assert "plugins.block" in rows["devkit"]["reason"]
    assert cli("dev", "url").code == ExitCode.USAGE
