"""`jobcore migrate`, brought by the storage."""

import subprocess

import psycopg
import pytest

from jobcore.cli.exit_codes import ExitCode


@pytest.fixture
def empty(empty_database_dsn, monkeypatch, project):
    monkeypatch.setenv("DATABASE_URL", empty_database_dsn)
    return empty_database_dsn


def execute(dsn, statement):
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(statement)


def test_up_applies_what_waits_and_says_what(cli, empty):
    assert cli("migrate", "status", "--check").code == ExitCode.SCHEMA
    answer = cli("migrate", "up")
    assert answer.code == 0, answer.err
    assert "applied postgres 0001_founding_tables" in answer.out
    assert cli("migrate", "up").out == "The schema is up to date.\n"
    assert cli("migrate", "status", "--check").code == 0
    assert cli("queues").code == 0
    execute(
        empty, "update jobcore.migrations set checksum = 'another' where (component, version) = ('billing', '0001')"
    )
    assert "billing 0001_parties is not the text that was applied" in cli("migrate", "up").err


def test_without_a_command_it_migrates_up(cli, empty):
    assert "postgres 0001_founding_tables" in cli("migrate", "--json").document["applied"]


def test_status_lists_every_migration(cli, empty):
    lines = cli("migrate", "status", "--json").document["migrations"]
    assert {line["state"] for line in lines} == {"waiting"}
    assert {"postgres", "pgboss"} <= {line["component"] for line in lines}


def test_down_asks_first_and_takes_back_what_is_named(cli, empty):
    cli("migrate", "up")
    refused = cli("migrate", "down", "postgres", "--to", "0")
    assert refused.code == ExitCode.USAGE
    assert "--yes" in refused.err
    needed = cli("migrate", "down", "postgres", "--to", "0", "--yes")
    assert needed.code == ExitCode.FAILED  # pgboss stands on it
    for component in ("pgboss", "postgres"):
        components = {line["component"] for line in cli("migrate", "status", "--json").document["migrations"]}
        for dependent in sorted(components - {"pgboss", "postgres"}):
            cli("migrate", "down", dependent, "--to", "0", "--yes")
        answer = cli("migrate", "down", component, "--to", "0", "--yes", "--json")
        assert answer.code == 0, answer.out
        assert answer.document["taken_back"]


def test_a_version_that_is_not_there_is_refused(cli, empty):
    answer = cli("migrate", "down", "postgres", "--to", "9", "--yes")
    assert answer.code == ExitCode.FAILED
    assert "has no version '9'" in answer.err


def test_the_script_does_what_up_does(cli, empty, postgres_server, tmp_path):
    script = cli("migrate", "up", "--sql").out
    assert script == cli("migrate", "sql", "--empty").out
    assert cli("migrate", "status", "--check").code == ExitCode.SCHEMA
    (tmp_path / "up.sql").write_text(script)
    psql = [postgres_server.bin_dir / "psql", "-q", "-d", empty, "-f", tmp_path / "up.sql"]
    subprocess.run(
        psql, check=True, capture_output=True, env={"LD_LIBRARY_PATH": str(postgres_server.bin_dir.parent / "lib")}
    )
    assert cli("migrate", "status", "--check").code == 0


def test_a_schema_that_is_much_older_or_newer_exits_with_5(cli, database):
    execute(database, "delete from jobcore.migrations where component = 'postgres' and version <> '0001'")
    older = cli("jobs", "list")
    assert older.code == ExitCode.SCHEMA
    assert "older than this build" in older.err
    assert "jobcore migrate" in older.err
    assert cli("jobs", "list", "--json").document["error"]["type"] == "SchemaVersionError"


def test_a_schema_of_a_later_version_says_what_to_upgrade(cli, database):
    for version in ("29990101000000", "29990102000000"):
        execute(
            database,
            "insert into jobcore.migrations (component, version, name, checksum)"
            f" values ('postgres', '{version}', 'later', '')",
        )
    newer = cli("jobs", "list")
    assert newer.code == ExitCode.SCHEMA
    assert "newer than this build" in newer.err
    states = {line["state"] for line in cli("migrate", "status", "--json").document["migrations"]}
    assert "unknown here" in states


def test_options_in_front_of_the_command_are_refused_with_the_right_place(cli, empty):
    answer = cli("migrate", "--sql", "status")
    assert answer.code == ExitCode.USAGE
    assert "jobcore migrate status" in answer.err
