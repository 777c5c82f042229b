"""The memory runner keeps the contract, in worker mode."""

import pytest

from contract.memory_harness import MemoryHarness
from jobcore.testing.runner_contract import *  # noqa: F403 - one test for each behaviour


@pytest.fixture
def harness() -> MemoryHarness:
    return MemoryHarness()
