"""Finds jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from jobcore.errors import InputError
from jobcore_pgboss.boss.desk import Verbs
from jobcore_pgboss.boss.errors import QueueNotFoundError
from jobcore_pgboss.boss.models import JobWithMetadata, job_with_metadata_of
from jobcore_pgboss.boss.options import check_limit, check_queue_name
from jobcore_pgboss.boss.targets import uuid_of


class Reading(Verbs):
    """`get_job_by_id`, `find_jobs`, `get_blocked_keys`."""

    async def get_job_by_id(self, name: str, job_id: UUID, *, connection: Any = None) -> JobWithMetadata | None:
        """Return a job of a queue, in whatever state; `None` if its row is not there, or no longer.

        Raises `InputError` for what is no id, `QueueNotFoundError`.
        """
        found = await self._desk.ask(
            "get_job_by_id", check_queue_name(name), uuid_of("get_job_by_id", job_id), connection=connection
        )
        if found is None:
            raise QueueNotFoundError(name)
        return None if found["job"] is None else job_with_metadata_of(found["job"])

    async def find_jobs(
        self,
        name: str,
        *,
        id: UUID | None = None,  # noqa: A002 - Node's word
        key: str | None = None,
        data: Mapping[str, Any] | None = None,
        queued: bool = False,
        after: UUID | None = None,
        limit: int = 1_000,
        connection: Any = None,
    ) -> list[JobWithMetadata]:
        """Return jobs of a queue, oldest first.

        Args:
            name: the queue.
            id: this one.
            key: those with this singleton key.
            data: those whose payload contains this.
            queued: those only that wait.
            after: those behind this one, the last of the page before.
            limit: how many at most, up to 100,000.
            connection: the application's own, in whose transaction it is looked.

        Raises:
            InputError: if an option cannot be meant, or the job is gone behind which to go on.
            QueueNotFoundError: if there is no such queue.
        """
        wanted = {"id": id, "key": key, "data": data, "queued": queued or None, "after": after}
        given: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
        given["limit"] = check_limit("find_jobs", limit)
        rows = await self._desk.ask("find_jobs", check_queue_name(name), given, connection=connection)
        if rows is None:
            raise QueueNotFoundError(name)
        if rows is False:
            raise InputError(f"find_jobs: there is no job {after} in queue {name} to go on behind.")
        return [job_with_metadata_of(row) for row in rows]

    async def get_blocked_keys(self, name: str, *, after: str | None = None, limit: int = 1_000) -> list[str]:
        """Return the keys of a queue of the policy `key_strict_fifo` that a failed job holds up, in their order.

        Args:
            name: the queue.
            after: those behind this one, the last of the page before.
            limit: how many at most, up to 100,000.

        Raises:
            InputError: if an option cannot be meant, or the queue has another policy.
            QueueNotFoundError: if there is no such queue.
        """
        wanted: dict[str, Any] = {"limit": check_limit("get_blocked_keys", limit)}
        if after == "":
            raise InputError("get_blocked_keys: after is a key, and must not be empty.")
        if after is not None:
            wanted["after"] = after
        keys = await self._desk.ask("get_blocked_keys", check_queue_name(name), wanted)
        if keys is None:
            raise QueueNotFoundError(name)
        if keys is False:
            raise InputError(
                f"get_blocked_keys: queue {name} has not the policy key_strict_fifo, so no key is held up."
            )
        return keys
