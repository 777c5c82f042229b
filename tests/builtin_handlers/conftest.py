"""What the tests of the built-in handlers share: a migrated database, one small tenant in it, and a job's context."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from builtin_handlers.context import AttemptContext
from builtin_handlers.world import World
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
def store(tmp_path: Path) -> DirectoryFileStore:
    return DirectoryFileStore(tmp_path / "files")


@pytest.fixture
def attempt(billing_dsn: str, store: DirectoryFileStore) -> Callable[..., AttemptContext]:
    """Make the context of one attempt: `attempt(tenant, job_id=...)`."""

    def make(tenant: UUID, **options: object) -> AttemptContext:
        context = AttemptContext(billing_dsn, tenant, **options)
        context.services.add(store, FileStore)
        context.services.add(PdfInvoiceRenderer(), InvoiceRenderer)
        return context

    return make
