"""The runner on a migrated database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from pgboss_runner.harness import App, opened


@pytest.fixture
async def app(database_dsn: str) -> AsyncGenerator[App]:
    async with opened(database_dsn) as app:
        yield app
