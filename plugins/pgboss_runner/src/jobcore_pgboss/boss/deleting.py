"""Empties queues."""

from __future__ import annotations

from jobcore_pgboss.boss.desk import Verbs
from jobcore_pgboss.boss.errors import QueueNotFoundError
from jobcore_pgboss.boss.options import check_queue_name

BATCH = 1_000
"""Jobs that one transaction walks over, so that nobody waits for it."""
PAGE = 1_000
"""Queues that are read at once."""

QUEUED = ("created", "retry")
STORED = ("completed", "cancelled", "failed")


class Deleting(Verbs):
    """`delete_queued_jobs`, `delete_stored_jobs`, `delete_all_jobs`.

    They delete in batches that are committed one by one. Who is cut short has deleted some, and may ask again.
    """

    async def delete_queued_jobs(self, name: str) -> int:
        """Delete the jobs of a queue that wait; return how many.

        Raises:
            InputError: if the name is none that a queue can have.
            QueueNotFoundError: if there is no such queue.
            StorageUnavailableError: if the database cannot be reached.
        """
        return await self._delete(name, QUEUED)

    async def delete_stored_jobs(self, name: str) -> int:
        """Delete the jobs of a queue that have ended; return how many. Raises as `delete_queued_jobs`."""
        return await self._delete(name, STORED)

    async def delete_all_jobs(self, name: str | None = None) -> int:
        """Delete the jobs of a queue, or of all queues, in whatever state; return how many.

        Whoever runs one finds out at its next heartbeat, or when it ends. Raises as `delete_queued_jobs`.
        """
        if name is not None:
            return await self._delete(name, (*QUEUED, "active", *STORED))
        deleted = 0
        after = ""
        while queues := await self._desk.ask("get_queues", after, {"limit": PAGE}):
            for queue in queues:
                deleted += await self.delete_all_jobs(queue["name"])
            after = queues[-1]["name"]
        return deleted

    async def _delete(self, name: str, states: tuple[str, ...]) -> int:
        asked = {"states": states, "limit": BATCH, "from": None}
        deleted = 0
        while batch := await self._desk.ask("delete_batch", check_queue_name(name), asked):
            deleted += batch["deleted"]
            asked["from"] = batch["next"]
            if batch["next"] is None:
                return deleted
        raise QueueNotFoundError(name)
