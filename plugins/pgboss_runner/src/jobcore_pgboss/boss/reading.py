"""Finds jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from jobcore_pgboss.boss.desk import Verbs
from jobcore_pgboss.boss.models import JobWithMetadata, job_with_metadata_of
from jobcore_pgboss.boss.options import check_limit, check_queue_name


class Reading(Verbs):
    """`get_job_by_id`, `find_jobs`."""

    async def get_job_by_id(self, name: str, job_id: UUID, *, connection: Any = None) -> JobWithMetadata | None:
        """Return a job of a queue, in whatever state; `None` if its row is not there, or no longer."""
        row = await self._desk.ask("get_job_by_id", check_queue_name(name), str(job_id), connection=connection)
        return None if row is None else job_with_metadata_of(row)

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
        """Return jobs of a queue, by id.

        Args:
            name: the queue.
            id: this one.
            key: those with this singleton key.
            data: those whose payload contains this.
            queued: those only that wait.
            after: those behind the last of the page before.
            limit: how many at most, up to 100,000.
            connection: the application's own, in whose transaction it is looked.

        Raises `InputError`.
        """
        wanted = {"id": id, "key": key, "data": data, "queued": queued or None, "after": after}
        given: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
        given["limit"] = check_limit("find_jobs", limit)
        rows = await self._desk.ask("find_jobs", check_queue_name(name), given, connection=connection)
        return [job_with_metadata_of(row) for row in rows]
