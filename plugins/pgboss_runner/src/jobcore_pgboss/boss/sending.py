"""Sends jobs: now, later, or so many a while."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Unpack
from uuid import UUID

from jobcore.errors import InputError
from jobcore_pgboss.boss.desk import Verbs
from jobcore_pgboss.boss.options import SendOptions, check_queue_name, check_send_options


class JobInsert(SendOptions, total=False):
    """One job of `insert`: its payload, and its options."""

    data: Any


class Sending(Verbs):
    """`send`, `send_after`, `send_throttled`, `send_debounced`, `insert`."""

    async def send(self, name: str, data: Any = None, **options: Unpack[SendOptions]) -> UUID | None:
        """Send a job to a queue, and return its id; `None` if the throttle or the queue's policy lets it not in.

        Raises:
            InputError: if an option cannot be meant.
            QueueNotFoundError: if there is no such queue.
            StorageUnavailableError: if the database cannot be reached.
        """
        job = {"data": data, "options": check_send_options(options)}
        made = await self._desk.ask("send", check_queue_name(name), job, connection=options.get("connection"))
        return None if made is None else UUID(made)

    async def send_after(
        self, name: str, data: Any, after: float | str | datetime, **options: Unpack[SendOptions]
    ) -> UUID | None:
        """Send a job that starts after so many seconds, an interval ("5 minutes") or an instant; raises as `send`."""
        options["start_after"] = after
        return await self.send(name, data, **options)

    async def send_throttled(
        self, name: str, data: Any, seconds: int, key: str | None = None, **options: Unpack[SendOptions]
    ) -> UUID | None:
        """Send a job unless one was sent (with this key) in the current slot of so many seconds; raises as `send`."""
        return await self.send(name, data, **_in_slots(options, seconds, key, next_slot=False))

    async def send_debounced(
        self, name: str, data: Any, seconds: int, key: str | None = None, **options: Unpack[SendOptions]
    ) -> UUID | None:
        """As `send_throttled`, but a job that is too many for its slot is sent for the next one, once."""
        return await self.send(name, data, **_in_slots(options, seconds, key, next_slot=True))

    async def insert(self, name: str, jobs: Iterable[JobInsert], *, connection: Any = None) -> list[UUID]:
        """Send many jobs in one statement, all or none; return the ids of those that were let in. Raises as `send`."""
        wanted = [_checked(job) for job in jobs]
        ids = Counter(str(job["options"]["id"]).lower() for job in wanted if "id" in job["options"])
        if twice := sorted(job_id for job_id, count in ids.items() if count > 1):
            raise InputError(f"insert: these ids stand twice: {', '.join(twice)}.")
        made = await self._desk.ask("insert", check_queue_name(name), wanted, connection=connection)
        return [UUID(job_id) for job_id in made]


def _in_slots(options: SendOptions, seconds: int, key: str | None, *, next_slot: bool) -> SendOptions:
    chosen: SendOptions = {**options, "singleton_seconds": seconds, "singleton_next_slot": next_slot}
    if key is not None:
        chosen["singleton_key"] = key
    return chosen


def _checked(job: JobInsert) -> dict[str, Any]:
    rest: Any = {key: value for key, value in job.items() if key != "data"}
    if "connection" in rest:
        raise InputError("insert: connection belongs to the call, not to a job.")
    return {"data": job.get("data"), "options": check_send_options(rest)}
