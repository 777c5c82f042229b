"""Does the background duties when it is asked to: for those who run no `jobcore worker`."""

from __future__ import annotations

from jobcore_pgboss.boss.desk import Verbs
from jobcore_pgboss.boss.errors import QueueNotFoundError
from jobcore_pgboss.boss.queue_verbs import QueueVerbs
from jobcore_pgboss.duties.desk import Desk as DutyDesk
from jobcore_pgboss.duties.supervisor import Supervisor
from jobcore_postgres.background.link import Link


class Supervising(Verbs):
    """`supervise`."""

    async def supervise(self, name: str | None = None) -> None:
        """Look after a queue, or all, as far as they are due: count the jobs, fail those that outlived their time-out
        or heartbeat, delete what is kept too long. Of all instances, one does so in an interval.

        Raises:
            QueueNotFoundError: if there is no such queue.
            StorageUnavailableError: if the database cannot be reached.
            psycopg.Error: what PostgreSQL refuses.
        """
        if name is not None and await QueueVerbs(self._desk).get_queue(name) is None:
            raise QueueNotFoundError(name)
        duties = DutyDesk(Link(self._desk.database, "boss duties"), self._desk.supervision)
        try:
            await Supervisor(duties).look_after(None if name is None else [name])
        finally:
            await duties.close()
