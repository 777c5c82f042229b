"""Events, and the queues that get a job for each."""

from __future__ import annotations

from typing import Any, Unpack

from jobcore.errors import InputError
from jobcore_pgboss.boss.desk import Verbs
from jobcore_pgboss.boss.errors import QueueNotFoundError
from jobcore_pgboss.boss.options import SendOptions, check_queue_name, check_send_options


class Publishing(Verbs):
    """`publish`, `subscribe`, `unsubscribe`."""

    async def publish(self, event: str, data: Any = None, **options: Unpack[SendOptions]) -> int:
        """Send a job to each queue that subscribed to an event; return how many were let in.

        In one statement: all queues get theirs, or none (Node sends to one after the other). Raises as `send`.
        """
        job = {"data": data, "options": check_send_options(options)}
        return await self._desk.ask("publish", _named(event), job, connection=options.get("connection"))

    async def subscribe(self, event: str, name: str) -> None:
        """Let a queue get a job for each event of this name. Raises `QueueNotFoundError`."""
        if not await self._desk.ask("subscribe", check_queue_name(name), _named(event)):
            raise QueueNotFoundError(name)

    async def unsubscribe(self, event: str, name: str) -> None:
        """Take a subscription back; harmless if there is none."""
        await self._desk.ask("unsubscribe", check_queue_name(name), _named(event))


def _named(event: str) -> str:
    if not event:
        raise InputError("An event needs a name.")
    return event
