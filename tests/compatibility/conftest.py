"""One server for each supported PostgreSQL, with a database that an ordinary owner migrated."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from datetime import timedelta

import psycopg
import pytest

from compatibility.handlers import HANDLERS, Address
from jobcore.app.facade import JobApp
from jobcore.settings import Settings
from jobcore_devkit.postgres import PostgresServer
from jobcore_postgres import migrations
from support.postgres_versions import SUPPORTED, programs

OWNER = "manager"
"""Owns its databases and may create roles: what managed databases give instead of a superuser."""
WORKER = "app_worker"
"""Works, and may nothing but what our roles may."""


@dataclass(frozen=True)
class Site:
    """A server of one version, as one would set it up for production."""

    server: PostgresServer

    @property
    def owner_dsn(self) -> str:
        return self.server.dsn("app", user=OWNER)

    @property
    def worker_dsn(self) -> str:
        return self.server.dsn("app", user=WORKER)

    def create_database(self, name: str) -> str:
        """Create an empty database of the owner's; return the owner's DSN."""
        with psycopg.connect(self.server.dsn(), autocommit=True) as administrator:
            administrator.execute(f"create database {name} owner {OWNER}".encode())
        return self.server.dsn(name, user=OWNER)


@pytest.fixture(
    scope="package",
    params=[pytest.param(major, marks=pytest.mark.xdist_group(f"postgres-{major}")) for major in SUPPORTED],
    ids=lambda major: f"postgres{major}",
)
def site(request: pytest.FixtureRequest) -> Generator[Site]:
    with PostgresServer.temporary(bin_dir=programs(request.param)) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as administrator:
            assert administrator.info.server_version // 10_000 == request.param
            administrator.execute(f"create role {OWNER} login createrole".encode())
            administrator.execute(f"create role {WORKER} login".encode())
        site = Site(server)
        site.create_database("app")
        migrations.migrate(site.owner_dsn)
        with psycopg.connect(site.owner_dsn) as owner:
            owner.execute(f"grant jobcore_worker, jobcore_tenant to {WORKER}".encode())
            owner.execute("create table bills (number int)")
            owner.execute(f"grant select, insert on bills to {WORKER}".encode())
        yield site


@pytest.fixture
async def app(site: Site) -> AsyncGenerator[JobApp]:
    """An application at work."""
    settings = Settings.load(env={"DATABASE_URL": site.worker_dsn})
    async with JobApp(settings, handlers=HANDLERS, services=[Address(site.worker_dsn)]) as app:
        worker = app.worker()
        await worker.start()
        yield app
        await worker.stop(timedelta(seconds=5))
