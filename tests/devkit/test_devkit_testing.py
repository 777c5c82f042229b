"""The fixtures that give each test its own database."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from jobcore_devkit import PostgresServer
from jobcore_devkit.databases import create_database, database_exists, database_name, fresh_database, seal_template
from jobcore_devkit.testing import require

CONFTEST = """
import psycopg, pytest
pytest_plugins = ["jobcore_devkit.testing"]

@pytest.fixture(scope="session")
def jobcore_migrator():
    def migrate(dsn):
        with psycopg.connect(dsn) as connection:
            connection.execute("CREATE TABLE migrated (note text)")
    return migrate
"""

SUITE = """
import psycopg, pytest

@pytest.mark.parametrize("turn", range(4))
def test_each_finds_the_migrated_table_empty(database_dsn, turn):
    with psycopg.connect(database_dsn) as connection:
        assert connection.execute("SELECT count(*) FROM migrated").fetchone() == (0,)
        connection.execute("INSERT INTO migrated VALUES ('mine')")

def test_an_empty_database_has_no_table(empty_database_dsn):
    with psycopg.connect(empty_database_dsn) as connection:
        assert connection.execute("SELECT to_regclass('migrated')").fetchone() == (None,)

def test_the_durable_server_syncs_and_may_be_left_stopped(durable_database_dsn, durable_postgres_server):
    with psycopg.connect(durable_database_dsn) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    durable_postgres_server.stop("immediate")

def test_the_next_gets_it_running(durable_database_dsn):
    with psycopg.connect(durable_database_dsn) as connection:
        assert connection.execute("SELECT count(*) FROM migrated").fetchone() == (0,)

def test_a_connection_left_open_does_not_hinder_the_clean_up(database_dsn):
    pytest.left_open = psycopg.connect(database_dsn)
"""

NEEDS_THE_MOON = """
from jobcore_devkit.testing import require

def test_moon():
    require("The moon", None, "look up")
"""


def run_suite(folder: Path, suite: str, *options: str, env: dict[str, str] | None = None) -> str:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_suite.py").write_text(textwrap.dedent(suite))
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *options, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=env).stdout


@pytest.mark.parametrize("options", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_a_suite_that_opts_in_gets_databases_of_its_own(tmp_path: Path, options: tuple[str, ...]):
    output = run_suite(tmp_path, SUITE, *options)
    assert "8 passed" in output, output


def test_a_missing_component_is_a_skip_that_says_what_is_missing(tmp_path: Path):
    output = run_suite(tmp_path, NEEDS_THE_MOON, env={**os.environ, "CI": ""})
    assert "1 skipped" in output
    assert "The moon is not on this machine. Install it: look up" in output


def test_a_missing_component_fails_in_ci(tmp_path: Path):
    output = run_suite(tmp_path, NEEDS_THE_MOON, env={**os.environ, "CI": "true"})
    assert "1 failed" in output
    assert "The moon is not on this machine. Install it: look up" in output


def test_a_component_that_is_there_is_no_matter():
    require("Ground", True, "look down")


def test_a_copy_of_a_template_is_made_in_less_than_a_second(postgres_server: PostgresServer, query):
    create_database(postgres_server, "timed_template")
    query(postgres_server.dsn("timed_template"), "CREATE TABLE wide AS SELECT generate_series(1, 1000) AS n")
    seal_template(postgres_server, "timed_template")
    started = time.monotonic()
    with fresh_database(postgres_server, template="timed_template") as dsn:
        assert time.monotonic() - started < 1
        assert query(dsn, "SELECT count(*) FROM wide") == 1000
    assert not database_exists(postgres_server, database_name(dsn))
