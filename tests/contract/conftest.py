"""One migrated database for each module that asks for it."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from jobcore_devkit.databases import fresh_database
from jobcore_devkit.postgres import PostgresServer


@pytest.fixture(scope="module")
def contract_dsn(postgres_server: PostgresServer, template_database: str) -> Generator[str]:
    """The DSN of a migrated database for a whole contract: its tests keep apart by their tenants and queues."""
    with fresh_database(postgres_server, template=template_database) as dsn:
        yield dsn
