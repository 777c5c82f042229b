"""`PgBoss`: the verbs of Node's pg-boss, on a PostgreSQL that Node and Python share."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from jobcore.errors import JobcoreError
from jobcore_pgboss.boss.deleting import Deleting
from jobcore_pgboss.boss.desk import Desk
from jobcore_pgboss.boss.fetching import Fetching
from jobcore_pgboss.boss.flows import Flows
from jobcore_pgboss.boss.installation import Installation
from jobcore_pgboss.boss.instances import Instances
from jobcore_pgboss.boss.moving import Moving
from jobcore_pgboss.boss.publishing import Publishing
from jobcore_pgboss.boss.queue_stats import QueueStatsVerbs
from jobcore_pgboss.boss.queue_verbs import QueueVerbs
from jobcore_pgboss.boss.reading import Reading
from jobcore_pgboss.boss.schedules import ScheduleVerbs
from jobcore_pgboss.boss.sending import Sending
from jobcore_pgboss.boss.settling import Settling
from jobcore_pgboss.boss.supervising import Supervising
from jobcore_pgboss.boss.updating import Updating
from jobcore_pgboss.boss.working import Working
from jobcore_pgboss.schema import attach
from jobcore_pgboss.supervision import SupervisionSettings
from jobcore_postgres.database import Database


class PgBoss(
    Sending,
    Publishing,
    Flows,
    Fetching,
    Settling,
    Updating,
    Moving,
    Deleting,
    Reading,
    QueueVerbs,
    ScheduleVerbs,
    Working,
    QueueStatsVerbs,
    Instances,
    Installation,
    Supervising,
):
    """An instance of pg-boss in Python: `async with PgBoss(dsn) as boss: await boss.send("mail", {...})`.

    Args:
        dsn: a libpq URL or connection string of the database that holds the schema `pgboss`.
        use_listen_notify: whether workers hear of new jobs in queues with `notify`, on a connection of their own.
        supervision: the intervals and bounds of `supervise`.

    Raises:
        ConfigurationError: if `dsn` does not parse.
    """

    def __init__(
        self, dsn: str, *, use_listen_notify: bool = True, supervision: SupervisionSettings | None = None
    ) -> None:
        super().__init__(Desk(Database(dsn), supervision), use_listen_notify=use_listen_notify)

    async def start(self) -> Self:
        """Connect, and check that the schema can be used. Raises `StorageUnavailableError`, `SchemaVersionError`."""
        await self._desk.database.open()
        try:
            async with self._desk.database.connection() as connection:
                await attach(connection)
        except JobcoreError:
            await self.stop()
            raise
        self._workforce.open()
        return self

    async def stop(self, *, graceful: bool = True, timeout: float = 30.0) -> None:
        """Stop working, and close the pool; repeatable.

        Args:
            graceful: wait for the handlers that run.
            timeout: for how long, in seconds, at least 1. Who runs longer is cancelled, and its jobs fail.
        """
        try:
            await self._workforce.close(graceful=graceful, timeout=max(1.0, timeout))
        finally:
            await self._desk.database.close()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()
