"""Moves jobs that do not run: cancelled, resumed, tried again, deleted, sent back from where they were buried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from jobcore.errors import InputError, NaiveDatetimeError
from jobcore_pgboss.boss.desk import Verbs
from jobcore_pgboss.boss.errors import QueueNotFoundError
from jobcore_pgboss.boss.options import check_limit, check_queue_name
from jobcore_pgboss.boss.targets import CommandResponse, Target, change, without_attempts


@dataclass(frozen=True, slots=True, kw_only=True)
class RedrivePreview:
    """What `redrive` would do."""

    total: int
    """The jobs that fit and wait."""
    destinations: Mapping[str, int]
    """How many would go to which queue, most first."""
    unroutable: int
    """Those that name no queue that exists."""


class Moving(Verbs):
    """`cancel`, `resume`, `retry`, `delete_job`, `redrive`, `preview_redrive`.

    The counts that `pgboss.queue` caches follow with the monitor's next pass.
    """

    async def cancel(self, name: str, jobs: Target | Sequence[Target], *, connection: Any = None) -> CommandResponse:
        """Cancel jobs that have not ended; whoever runs one finds out at its next heartbeat, or when it ends.

        Args:
            name: the queue.
            jobs: ids, or attempts, which are left alone if they no longer run.
            connection: the caller's, in whose transaction it happens.

        Raises:
            InputError: if no jobs are named, or not properly.
            QueueNotFoundError: if there is no such queue.
        """
        return await change(self._desk, "cancel", name, jobs, connection)

    async def resume(self, name: str, jobs: Target | Sequence[Target], *, connection: Any = None) -> CommandResponse:
        """Let cancelled jobs wait again. Takes ids; raises as `cancel`."""
        without_attempts("resume", jobs)
        return await change(self._desk, "resume", name, jobs, connection)

    async def retry(self, name: str, jobs: Target | Sequence[Target], *, connection: Any = None) -> CommandResponse:
        """Give failed jobs one more attempt. Takes ids; raises as `cancel`."""
        without_attempts("retry", jobs)
        return await change(self._desk, "retry", name, jobs, connection)

    async def delete_job(
        self, name: str, jobs: Target | Sequence[Target], *, connection: Any = None
    ) -> CommandResponse:
        """Delete jobs, in whatever state. Arguments and errors are those of `cancel`."""
        return await change(self._desk, "delete_job", name, jobs, connection)

    async def redrive(
        self,
        name: str,
        *,
        destination: str | None = None,
        source_name: str | None = None,
        data: Mapping[str, Any] | None = None,
        created_before: datetime | None = None,
        ids: Sequence[UUID] | None = None,
        limit: int = 1_000,
        connection: Any = None,
    ) -> int:
        """Send jobs of a dead letter queue once more, oldest first; return how many.

        Args:
            name: the dead letter queue.
            destination: where to; else each goes to the queue that it came from.
            source_name: only those that came from this queue.
            data: only those whose payload contains this.
            created_before: only those that were buried before this instant.
            ids: only these, by their ids here.
            limit: how many at most, up to 100,000.
            connection: the caller's, in whose transaction it happens.

        Raises:
            InputError, NaiveDatetimeError: if a filter cannot be meant.
            QueueNotFoundError: if there is no such queue.
        """
        filters = _filters(destination, source_name, data, created_before, ids)
        filters["limit"] = check_limit("redrive", limit)
        moved = await self._desk.ask("redrive", check_queue_name(name), filters, connection=connection)
        if moved is None:
            raise QueueNotFoundError(name)
        return moved

    async def preview_redrive(
        self,
        name: str,
        *,
        destination: str | None = None,
        source_name: str | None = None,
        data: Mapping[str, Any] | None = None,
        created_before: datetime | None = None,
        ids: Sequence[UUID] | None = None,
        limit: int = 1_000,
        connection: Any = None,
    ) -> RedrivePreview:
        """Tell what `redrive` would do with these arguments. Raises as `redrive`."""
        filters = _filters(destination, source_name, data, created_before, ids)
        filters["limit"] = check_limit("preview_redrive", limit)
        counted = await self._desk.ask("preview_redrive", check_queue_name(name), filters, connection=connection)
        if counted is None:
            raise QueueNotFoundError(name)
        return RedrivePreview(
            total=sum(each["count"] for each in counted),
            destinations={each["name"]: each["count"] for each in counted if each["name"] is not None},
            unroutable=sum(each["count"] for each in counted if each["name"] is None),
        )


def _filters(
    destination: str | None,
    source_name: str | None,
    data: Mapping[str, Any] | None,
    created_before: datetime | None,
    ids: Sequence[UUID] | None,
) -> dict[str, Any]:
    for queue in (destination, source_name):
        if queue is not None:
            check_queue_name(queue)
    if created_before is not None and created_before.tzinfo is None:
        raise NaiveDatetimeError(f"created_before {created_before.isoformat()} has no time zone.")
    if ids is not None and not ids:
        raise InputError("ids names no job; leave it out to mean all.")
    wanted = {
        "destination": destination,
        "source_name": source_name,
        "data": data,
        "created_before": created_before,
        "ids": ids,
    }
    return {key: value for key, value in wanted.items() if value is not None}
