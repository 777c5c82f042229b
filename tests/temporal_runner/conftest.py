"""A stage for each test: a migrated database of its own, and a task queue of its own on the suite's Temporal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobcore_devkit.databases import fresh_database
from jobcore_devkit.lane import Lane
from jobcore_devkit.postgres import PostgresServer
from jobcore_devkit.temporal import HOW_TO_INSTALL, TemporalServer, find_temporal
from jobcore_devkit.testing import require
from support.history import EffectLedger
from temporal_runner.harness import Stage


@pytest.fixture
def stage(database_dsn: str, jobcore_temporal: TemporalServer) -> Stage:
    jobcore_temporal.start()  # a test before may have left it stopped
    return Stage(database_dsn, jobcore_temporal.address)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TemporalServer]:
    """A Temporal of the test's own, to be killed and frozen; its state is in a file."""
    require("Temporal", find_temporal(), HOW_TO_INSTALL)
    with TemporalServer(tmp_path / "temporal.db") as server:
        yield server


@pytest.fixture
def lane(server: TemporalServer) -> Iterator[Lane]:
    """What leads to that server."""
    with Lane(server.port) as lane:
        yield lane


@pytest.fixture
def ledger(postgres_server: PostgresServer) -> Iterator[EffectLedger]:
    """Where handlers note what they do, in a database of its own."""
    with fresh_database(postgres_server) as dsn:
        made = EffectLedger(dsn)
        made.install()
        yield made
