"""An application with both engines: jobs move between a real pg-boss schema and a real Temporal."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from contract.pgboss_harness import FAST as PGBOSS
from contract.temporal_harness import FAST as TEMPORAL
from jobcore import JobApp
from jobcore.settings import Settings
from jobcore.testing.apps import quiet_settings
from jobcore_devkit.temporal import TemporalServer

PATIENCE = 20.0

Open = Callable[..., Any]


def both_engines(dsn: str, address: str, namespace: str = "default") -> Settings:
    """Return the settings of an application that knows both engines."""
    return quiet_settings(
        database={"url": dsn},
        pgboss=PGBOSS,
        temporal={
            "address": address,
            "namespace": namespace,
            "task_queue": f"moving-{uuid4().hex[:10]}",
            **TEMPORAL,
        },
        edition="enterprise",
        fallback_to_pgboss=False,
    )


@pytest.fixture
def settings(database_dsn: str, jobcore_temporal: TemporalServer, temporal_namespace: str) -> Settings:
    return both_engines(database_dsn, jobcore_temporal.address, temporal_namespace)


@pytest.fixture
def opened(settings: Settings) -> Open:
    """Open an application on the same engines: `async with opened("temporal", handlers=[...]) as app`."""

    @asynccontextmanager
    async def open_app(runner: str = "pgboss", **options: Any) -> AsyncGenerator[JobApp]:
        async with JobApp(settings.model_copy(update={"runner": runner}), **options) as app:
            yield app

    return open_app


@asynccontextmanager
async def working(app: JobApp) -> AsyncGenerator[None]:
    """A worker of the app for the length of the block."""
    worker = app.worker()
    await worker.start()
    try:
        yield
    finally:
        await worker.stop()


@pytest.fixture
async def database(database_dsn: str) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """A connection of the test's own, which sees everything."""
    async with await psycopg.AsyncConnection.connect(database_dsn, autocommit=True) as connection:
        yield connection


async def one(database: psycopg.AsyncConnection[Any], query: str, *parameters: Any) -> Any:
    """Return the first row of a question that the test asks; `None` without one."""
    return await (await database.execute(query, parameters)).fetchone()
