"""Works queues: a loop for each worker, in tasks of the event loop that calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal, Unpack, overload
from uuid import UUID

from jobcore_pgboss.boss.desk import Desk, Verbs
from jobcore_pgboss.boss.models import Job, JobWithMetadata
from jobcore_pgboss.boss.options import check_queue_name
from jobcore_pgboss.boss.wip import WipData
from jobcore_pgboss.boss.work_options import WorkOptions
from jobcore_pgboss.boss.workforce import Workforce
from jobcore_postgres.background.link import Connection


class Working(Verbs):
    """`work`, `off_work`, `notify_worker`, `get_wip_data`."""

    def __init__(self, desk: Desk, *, use_listen_notify: bool = True) -> None:
        super().__init__(desk)
        self._workforce = Workforce(desk, listens=use_listen_notify)

    @overload
    async def work(
        self,
        name: str,
        handler: Callable[[list[Job]], Awaitable[Any]],
        *,
        include_metadata: Literal[False] = False,
        transactional: Literal[False] = False,
        **options: Unpack[WorkOptions],
    ) -> UUID: ...

    @overload
    async def work(
        self,
        name: str,
        handler: Callable[[list[JobWithMetadata]], Awaitable[Any]],
        *,
        include_metadata: Literal[True],
        transactional: Literal[False] = False,
        **options: Unpack[WorkOptions],
    ) -> UUID: ...

    @overload
    async def work(
        self,
        name: str,
        handler: Callable[[list[Job], Connection], Awaitable[Any]],
        *,
        include_metadata: Literal[False] = False,
        transactional: Literal[True],
        **options: Unpack[WorkOptions],
    ) -> UUID: ...

    @overload
    async def work(
        self,
        name: str,
        handler: Callable[[list[JobWithMetadata], Connection], Awaitable[Any]],
        *,
        include_metadata: Literal[True],
        transactional: Literal[True],
        **options: Unpack[WorkOptions],
    ) -> UUID: ...

    async def work(
        self,
        name: str,
        handler: Any,
        *,
        include_metadata: bool = False,
        transactional: bool = False,
        **options: Unpack[WorkOptions],
    ) -> UUID:
        """Begin to work a queue; returns at once, with an id for `off_work` and `notify_worker`.

        What the handler returns completes the job (of a batch of several, `None` completes all); an exception fails
        the batch. A handler that runs longer than the longest `expire_in_seconds` of its jobs is cancelled, and they
        fail. While the database is away the workers try again.

        Args:
            name: the queue; it may be made later.
            handler: an async function that takes a list of jobs.
            include_metadata: give it all that the jobs' rows tell.
            transactional: give it, after the jobs, a psycopg connection in a transaction that commits with their
                completion, or not at all; each worker has a connection of its own for that.
            options: see `WorkOptions`.

        Raises:
            InputError: if an option cannot be meant, or this instance is not started.
        """
        given = {"include_metadata": include_metadata, "transactional": transactional, **options}
        return self._workforce.hire(check_queue_name(name), handler, given)

    async def off_work(self, name: str, *, id: UUID | None = None, wait: bool = True) -> None:  # noqa: A002 - Node's word
        """Stop working a queue: fetch no more. Harmless if nobody works it.

        Args:
            name: the queue.
            id: only the workers of this call of `work`, or only this one of `get_wip_data`.
            wait: return when what they work on has ended; a handler that waits so for itself waits until it expires.

        Raises:
            InputError: if the name is none.
        """
        await self._workforce.dismiss(check_queue_name(name), id, wait=wait)

    def notify_worker(self, worker_id: UUID) -> None:
        """Let a worker fetch now, until a batch is not full. Harmless if it works no longer."""
        self._workforce.wake(worker_id)

    def get_wip_data(self) -> list[WipData]:
        """Return what each worker of this instance is about."""
        return self._workforce.wip()
