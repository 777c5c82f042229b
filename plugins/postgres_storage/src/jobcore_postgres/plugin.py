"""Offers the storage `postgres` to the plugin manager. The driver is loaded when the storage is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobcore.plugins.hooks import hookimpl
from jobcore_postgres.settings import PostgresSettings

if TYPE_CHECKING:
    from jobcore.plugins.registries import CheckRegistry, CheckResult, CommandRegistry, StorageRegistry
    from jobcore.ports.store import JobStore
    from jobcore.settings import Settings


@hookimpl
def jobcore_register_storages(registry: StorageRegistry, settings: Settings) -> None:
    own = settings.section("postgres", PostgresSettings)

    def make(chosen: Settings) -> JobStore:
        from jobcore_postgres.store import PostgresStore

        return PostgresStore(chosen.database.dsn(), own, limits=chosen.limits.payload)

    registry.register_storage("postgres", make)


@hookimpl
def jobcore_register_checks(registry: CheckRegistry) -> None:
    async def check(app: Any) -> CheckResult:
        from jobcore_postgres.checks import check_database

        database = app.settings.database
        return await check_database(database.dsn() if database.is_configured else None)

    async def check_migrations(app: Any) -> CheckResult:
        from jobcore_postgres import checks

        return await checks.check_migrations(app.settings.database.dsn())

    async def check_clock(app: Any) -> CheckResult:
        from jobcore_postgres import session_checks

        return await session_checks.check_clock(app.settings.database.dsn())

    async def check_pooler(app: Any) -> CheckResult:
        from jobcore_postgres import session_checks

        return await session_checks.check_pooler(app.settings.database.dsn())

    registry.add("postgres", check)
    registry.add("migrations", check_migrations)
    registry.add("clock", check_clock)
    registry.add("pooler", check_pooler)


@hookimpl
def jobcore_register_cli(commands: CommandRegistry) -> None:
    commands.add("migrate", "jobcore_postgres.cli:app", "Migrate the database: up, down, status, or as SQL.")
    commands.add(
        "retention", "jobcore_postgres.retention_cli:app", "How long ended jobs are kept, and deleting by hand."
    )
