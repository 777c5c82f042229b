"""Settling: jobs that somebody fetched are completed, failed or kept alive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jobcore_pgboss.boss.desk import Verbs
from jobcore_pgboss.boss.outputs import output_of
from jobcore_pgboss.boss.targets import CommandResponse, Target, change


class Settling(Verbs):
    """The verbs with which a fetched job ends."""

    async def complete(
        self,
        name: str,
        jobs: Target | Sequence[Target],
        data: Any = None,
        *,
        include_queued: bool = False,
        connection: Any = None,
    ) -> CommandResponse:
        """Complete running jobs of a queue.

        Args:
            name: the queue.
            jobs: ids, or attempts, which are left alone if they no longer run.
            data: what comes of them; anything but an object is stored under the key `value`.
            include_queued: complete those too that nobody has fetched.
            connection: the caller's, in whose transaction it happens.

        Raises:
            InputError: if no jobs are named, or not properly.
            QueueNotFoundError: if there is no such queue.
        """
        return await change(
            self._desk, "complete", name, jobs, connection, output=output_of(data), include_queued=include_queued
        )

    async def fail(
        self, name: str, jobs: Target | Sequence[Target], data: Any = None, *, connection: Any = None
    ) -> CommandResponse:
        """Fail jobs that have not ended: they wait for their next attempt, or end and go to the dead letter queue.

        Arguments and errors are those of `complete`; an exception is stored as its name, message and stack.
        """
        return await change(self._desk, "fail", name, jobs, connection, output=output_of(data))

    async def touch(self, name: str, jobs: Target | Sequence[Target], *, connection: Any = None) -> CommandResponse:
        """Renew the heartbeat of running jobs. Arguments and errors are those of `complete`."""
        return await change(self._desk, "touch", name, jobs, connection)
