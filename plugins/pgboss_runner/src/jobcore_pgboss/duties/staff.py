"""The background duties of one worker: begun, ended and closed together."""

from __future__ import annotations

from uuid import UUID

from jobcore.ports.runner import WorkerHost
from jobcore_pgboss import logs
from jobcore_pgboss.duties.cron import Cron
from jobcore_pgboss.duties.desk import Desk
from jobcore_pgboss.duties.mirror import Mirror
from jobcore_pgboss.duties.navigator import Navigator
from jobcore_pgboss.duties.registry import Registry
from jobcore_pgboss.duties.supervisor import Supervisor
from jobcore_pgboss.supervision import SupervisionSettings
from jobcore_postgres.background.link import Link
from jobcore_postgres.background.perseverance import TROUBLE
from jobcore_postgres.background.roles import Roles
from jobcore_postgres.database import Database


class Duties:
    """What a worker does for all instances on this database, Node's and ours, on a connection of its own."""

    def __init__(self, database: Database, settings: SupervisionSettings, worker_id: UUID, host: WorkerHost) -> None:
        self._desk = Desk(Link(database, "worker duties"), settings)
        self._registry = Registry(self._desk, worker_id, sorted(host.queues), host.concurrency)
        self._turns = {"registry": self._registry.turn}
        if settings.enabled:
            self._turns |= {
                "supervisor": Supervisor(self._desk).turn,
                "navigator": Navigator(self._desk).turn,
                "mirror": Mirror(self._desk).turn,
            }
        if settings.schedule:
            self._turns["cron"] = Cron(self._desk).turn

    def begin(self, roles: Roles) -> None:
        """Begin the duties among the worker's roles."""
        for role, turn in self._turns.items():
            roles.begin(role, turn)

    async def end(self, roles: Roles) -> None:
        """End all but the registry, which tells that the worker lives."""
        for role in self._turns.keys() - {"registry"}:
            await roles.end(role)

    async def close(self) -> None:
        """Leave the registry and close the connection; the roles have ended. An absent database is not waited for."""
        try:
            await self._registry.leave()
        except TROUBLE as error:
            logs.registry_not_left(error)
        await self._desk.close()
