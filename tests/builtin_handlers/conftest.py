"""What the tests of the built-in handlers share: a migrated database, one small tenant in it, and a job's context."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from builtin_handlers.buckets import Bucket, s3_server
from builtin_handlers.calendar_world import Calendars
from builtin_handlers.context import AttemptContext
from builtin_handlers.endpoint import Endpoint
from builtin_handlers.fake_google import FakeGoogle
from builtin_handlers.fake_graph import FakeGraph
from builtin_handlers.webhook_world import Hooks
from builtin_handlers.world import World
from jobcore.app.facade import JobApp
from jobcore.testing.apps import quiet_settings
from jobcore_handlers.files import DirectoryFileStore, FileStore
from jobcore_handlers.printing import InvoiceRenderer
from jobcore_handlers.printing.pdf import PdfInvoiceRenderer


@pytest.fixture
def billing_dsn(database_dsn: str) -> str:
    """A database with the schema of every installed plugin."""
    return database_dsn


@pytest.fixture
def world(billing_dsn: str) -> World:
    """One tenant with one client and one monthly cycle, November 2025."""
    return World(billing_dsn)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A subscriber of webhooks that listens."""
    with Endpoint.serving() as server:
        yield server


@pytest.fixture
def hooks(billing_dsn: str) -> Hooks:
    """One tenant that has no subscriptions yet."""
    return Hooks(billing_dsn)


@pytest.fixture
def store(tmp_path: Path) -> DirectoryFileStore:
    return DirectoryFileStore(tmp_path / "files")


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    with s3_server() as endpoint:
        yield endpoint


@pytest.fixture
def bucket(s3_endpoint: str) -> Bucket:
    """A bucket on a server that speaks S3."""
    return Bucket(s3_endpoint)


@pytest.fixture
def attempt(billing_dsn: str, store: DirectoryFileStore) -> Callable[..., AttemptContext]:
    """Make the context of one attempt: `attempt(tenant, job_id=...)`."""

    def make(tenant: UUID, **options: object) -> AttemptContext:
        context = AttemptContext(billing_dsn, tenant, **options)
        context.services.add(store, FileStore)
        context.services.add(PdfInvoiceRenderer(), InvoiceRenderer)
        return context

    return make


@pytest.fixture(params=["pgboss", "temporal"])
def open_app(request: pytest.FixtureRequest, billing_dsn: str) -> Callable[..., AbstractAsyncContextManager[JobApp]]:
    """Open an application with a worker that runs, once on each engine: `async with open_app(services=...) as app`."""
    engine: dict[str, Any] = {"runner": request.param, "database": {"url": billing_dsn}}
    if request.param == "temporal":
        server = request.getfixturevalue("jobcore_temporal")
        queue = f"handlers-{uuid4().hex[:10]}"
        engine |= {"edition": "enterprise", "temporal": {"address": server.address, "task_queue": queue}}

    @asynccontextmanager
    async def opened(*, settings: dict[str, Any] | None = None, **options: Any) -> AsyncGenerator[JobApp]:
        async with JobApp(quiet_settings(**engine | (settings or {})), **options) as app:
            worker = app.worker()
            await worker.start()
            try:
                yield app
            finally:
                await worker.stop()

    return opened


@pytest.fixture
def graph() -> Iterator[FakeGraph]:
    server = FakeGraph()
    with server.running():
        yield server
    assert server.complaints == []


@pytest.fixture
def google() -> Iterator[FakeGoogle]:
    server = FakeGoogle()
    with server.running():
        yield server
    assert server.complaints == []


@pytest.fixture
def calendars(world: World, graph: FakeGraph, google: FakeGoogle) -> Calendars:
    return Calendars(world, graph, google)
