"""The PostgreSQL storage: the whole store port over one database."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from jobcore.limits import DEFAULT_LIMITS, PayloadLimits
from jobcore.ports.context import TenantDatabase
from jobcore.ports.store import JobStore
from jobcore.settings import Settings
from jobcore_postgres.admission import PostgresAdmission
from jobcore_postgres.counter import Counter
from jobcore_postgres.database import Database
from jobcore_postgres.leased import PostgresLeasedWrites
from jobcore_postgres.migrations.compatibility import require_schema
from jobcore_postgres.moving import PostgresMoving
from jobcore_postgres.payloads import PostgresPayloadRecords
from jobcore_postgres.pruner import Pruner
from jobcore_postgres.quotas import PostgresQuotas
from jobcore_postgres.records import PostgresJobRecords
from jobcore_postgres.retention import Retention
from jobcore_postgres.schedules import PostgresScheduleStore
from jobcore_postgres.schema_component import own_component
from jobcore_postgres.settings import CHANGEABLE, PostgresSettings
from jobcore_postgres.tenant import PostgresTenantDatabase
from jobcore_postgres.watching import Watchtower
from jobcore_postgres.workers import PostgresWorkerRegistry

if TYPE_CHECKING:
    from psycopg_pool import AsyncConnectionPool


class PostgresStore(
    PostgresJobRecords,
    PostgresLeasedWrites,
    PostgresScheduleStore,
    PostgresAdmission,
    PostgresQuotas,
    PostgresWorkerRegistry,
    PostgresPayloadRecords,
    PostgresMoving,
    JobStore,
):
    """Keeps jobs, details, schedules and workers in PostgreSQL.

    Args:
        dsn: a libpq URL, of a login that is a member of `jobcore_worker` and, for `ctx.db`, of `jobcore_tenant`.
        settings: the pool's, and how long what is kept.
        limits: the largest payload that is accepted.
        pool: the application's own open pool to this database, to be used instead of one of ours (G02).

    Raises:
        ConfigurationError: if `dsn` does not parse.
    """

    storage_type = "postgres"

    def __init__(
        self,
        dsn: str,
        settings: PostgresSettings | None = None,
        *,
        limits: PayloadLimits = DEFAULT_LIMITS,
        pool: AsyncConnectionPool[Any] | None = None,
    ) -> None:
        chosen = settings or PostgresSettings()
        self.database = Database(dsn, chosen, pool=pool)
        self.retention = Retention(self.database, chosen)
        self.watchtower = Watchtower(self.database)
        self._pruner = Pruner(self.database, chosen)
        self._counter = Counter(self.database)
        self.limits = limits

    @property
    def changeable(self) -> frozenset[str]:
        return frozenset(f"postgres.{key}" for key in CHANGEABLE)

    def reload(self, settings: Settings) -> Callable[[], None]:
        later = settings.section("postgres", PostgresSettings)

        def apply() -> None:
            self.retention.go_by(later)
            self._pruner.go_by(later)

        return apply

    async def open(self) -> None:
        await self.database.open()
        try:
            async with self.database.connection() as connection:
                await require_schema(connection, own_component())
        except BaseException:
            await self.database.close()
            raise

    async def close(self) -> None:
        await self.watchtower.close()
        await self.database.close()

    async def upkeep(self) -> float:
        """Count what quotas limit, and delete what need not be kept, unless another worker does."""
        return min(await self._counter.turn(), await self._pruner.turn())

    async def ping(self) -> float:
        return await self.database.ping()

    def tenant_database(self, tenant: UUID) -> TenantDatabase | None:
        return PostgresTenantDatabase(self.database, tenant)
