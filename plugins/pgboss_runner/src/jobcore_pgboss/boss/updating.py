"""Changes jobs that wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Unpack
from uuid import UUID

from jobcore.errors import InputError
from jobcore_pgboss.boss.desk import Verbs
from jobcore_pgboss.boss.options import UpdateOptions, check_queue_name, check_update_options

MATCHES = ("newest", "oldest", "all")

_AS_IT_IS: Any = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateResponse:
    """What `update` changed."""

    jobs: tuple[UUID, ...]

    @property
    def updated(self) -> int:
        return len(self.jobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsertResponse:
    """What `upsert` changed, or else sent; neither, where the queue's policy has no room for another job."""

    jobs: tuple[UUID, ...]
    updated: int
    inserted: int


class Updating(Verbs):
    """`update`, `upsert`."""

    async def update(self, name: str, data: Any = _AS_IT_IS, **options: Unpack[UpdateOptions]) -> UpdateResponse:
        """Change jobs that wait: their payload and the options that are given; all else stays.

        Args:
            name: the queue.
            data: the new payload, also `None`; without one it stays.
            options: `id` or `singleton_key` says which jobs, and with a key `match` which of them: the "newest" (if
                nothing is said), the "oldest" or "all". The others say what they are to be, as in `send`; `None` takes
                back `dead_letter`, `heartbeat_seconds` and `retry_delay_max`. A `start_after` of 0 or less means now.

        Raises:
            InputError: if an option cannot be meant.
            QueueNotFoundError: if there is no such queue.
            StorageUnavailableError: if the database cannot be reached.
        """
        asked = _asked("update", data, options)
        changed = await self._desk.ask("update", check_queue_name(name), asked, connection=options.get("connection"))
        return UpdateResponse(jobs=_ids(changed))

    async def upsert(self, name: str, data: Any = _AS_IT_IS, **options: Unpack[UpdateOptions]) -> UpsertResponse:
        """As `update`; but if no such job waits, send one. Upserts of one key at the same time agree on one job, since
        version 45 of the schema."""
        asked = _asked("upsert", data, options)
        done = await self._desk.ask("upsert", check_queue_name(name), asked, connection=options.get("connection"))
        jobs, inserted = _ids(done["jobs"]), done["inserted"]
        return UpsertResponse(jobs=jobs, updated=len(jobs) - inserted, inserted=inserted)


def _asked(verb: str, data: Any, options: UpdateOptions) -> dict[str, Any]:
    if bool(options.get("id")) == bool(options.get("singleton_key")):
        raise InputError(f"{verb} requires exactly one of id and singleton_key.")
    match = options.get("match", "newest")
    if match not in MATCHES:
        raise InputError(f"{verb}: match must be one of {', '.join(MATCHES)}, not {match!r}.")
    if "match" in options and options.get("id"):
        raise InputError(f"{verb}: match goes with singleton_key; an id means one job.")
    asked: dict[str, Any] = {"options": check_update_options(options)}
    return asked if data is _AS_IT_IS else asked | {"data": data}


def _ids(found: list[str]) -> tuple[UUID, ...]:
    return tuple(UUID(each) for each in found)
