"""The pgboss runner keeps the contract, on a real PostgreSQL."""

import pytest

from contract.pgboss_harness import PgBossHarness
from jobcore.testing.runner_contract import *  # noqa: F403 - one test for each behaviour


@pytest.fixture
def harness(contract_dsn: str) -> PgBossHarness:
    return PgBossHarness(contract_dsn)
