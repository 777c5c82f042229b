"""What the tests of the built-in handlers share: a migrated database, one small tenant in it, and a job's context."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from builtin_handlers.context import AttemptContext
from builtin_handlers.world import World
from jobcore_handlers.files import DirectoryFileStore, FileStore
from jobcore_handlers.printing import InvoiceRenderer, PdfInvoiceRenderer

ROLES = """
do $$
declare
    role text;
begin
    foreach role in array array['jobcore_worker', 'jobcore_tenant'] loop
        if not exists (select from pg_roles where rolname = role) then
            execute format('create role %I nologin', role);
        end if;
    end loop;
end
$$
"""


@pytest.fixture
def billing_dsn(empty_database_dsn: str) -> str:
    """A database that has the billing schema and nothing else."""
    with psycopg.connect(empty_database_dsn) as connection:
        connection.execute(ROLES)
        for name in migration_names("up"):
            connection.execute(files("jobcore_handlers").joinpath("migrations", name).read_bytes())
    return empty_database_dsn


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


def migration_names(direction: str) -> list[str]:
    names = [entry.name for entry in files("jobcore_handlers").joinpath("migrations").iterdir()]
    return sorted(name for name in names if name.endswith(f".{direction}.sql"))
