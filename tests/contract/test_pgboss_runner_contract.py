"""The pgboss runner keeps the contract, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from contract.pgboss_harness import PgBossHarness
from jobcore.testing.runner_contract import *  # noqa: F403 - one test for each behaviour
from jobcore_devkit.databases import fresh_database
from jobcore_devkit.postgres import PostgresServer


@pytest.fixture(scope="module")
def contract_dsn(postgres_server: PostgresServer, template_database: str) -> Generator[str]:
    """One migrated database for the whole contract."""
    with fresh_database(postgres_server, template=template_database) as dsn:
        yield dsn


@pytest.fixture
def harness(contract_dsn: str) -> PgBossHarness:
    return PgBossHarness(contract_dsn)
