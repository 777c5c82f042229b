"""The Temporal runner keeps the contract, on a real Temporal and a real PostgreSQL."""

from collections.abc import Iterator

import pytest

from contract.temporal_harness import TemporalHarness
from jobcore.testing.runner_contract import *  # noqa: F403 - one test for each behaviour
from jobcore_devkit.temporal import HOW_TO_INSTALL, TemporalServer, find_temporal
from jobcore_devkit.testing import require

ONE_PARTITION = {"matching.numTaskqueueReadPartitions": 1, "matching.numTaskqueueWritePartitions": 1}
"""Temporal keeps priorities within each partition of a task queue; by default it spreads one over four."""


@pytest.fixture(scope="module")
def strict_temporal() -> Iterator[TemporalServer]:
    require("Temporal", find_temporal(), HOW_TO_INSTALL)
    with TemporalServer(dynamic_config=ONE_PARTITION) as server:
        yield server


@pytest.fixture
def harness(contract_dsn: str, strict_temporal: TemporalServer) -> TemporalHarness:
    return TemporalHarness(contract_dsn, strict_temporal.address)
