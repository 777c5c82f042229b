"""The runner on a migrated database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

import pytest

from jobcore_devkit.databases import fresh_database
from jobcore_devkit.postgres import PostgresServer
from pgboss_runner.boss_face import Pair, pair_on
from pgboss_runner.harness import App, opened


@pytest.fixture
async def app(database_dsn: str) -> AsyncGenerator[App]:
    async with opened(database_dsn) as app:
        yield app


@pytest.fixture
async def pair(database_dsn: str, postgres_server: PostgresServer) -> AsyncGenerator[Pair]:
    async with pair_on(database_dsn, postgres_server) as pair:
        yield pair


@pytest.fixture
def other_migrated_dsn(postgres_server: PostgresServer, template_database: str) -> Generator[str]:
    """The DSN of a second migrated database."""
    with fresh_database(postgres_server, template=template_database) as dsn:
        yield dsn
