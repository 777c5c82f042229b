"""Which jobs a verb is to change, and which it has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from jobcore.errors import InputError
from jobcore_pgboss.boss.desk import Desk
from jobcore_pgboss.boss.errors import QueueNotFoundError
from jobcore_pgboss.boss.models import Job
from jobcore_pgboss.boss.options import check_queue_name

Target = UUID | str | Job | tuple[UUID | str, int]
"""A job by its id; or one attempt of it, as `fetch` answers it or as (id, retry_count): then nothing happens to the job
if this attempt is no longer the one that runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResponse:
    """What a verb did to the jobs that it was asked to change."""

    jobs: tuple[UUID, ...]
    """Those that it was asked for."""
    changed: tuple[UUID, ...]
    """Those that it changed."""

    @property
    def requested(self) -> int:
        return len(self.jobs)

    @property
    def affected(self) -> int:
        return len(self.changed)


async def change(
    desk: Desk, verb: str, name: str, targets: Target | Sequence[Target], connection: Any, **more: Any
) -> CommandResponse:
    """Run a verb on jobs of a queue.

    Raises:
        InputError: without a job, for one that is not named properly, or for ids mixed with attempts.
        QueueNotFoundError: if there is no such queue.
    """
    check_queue_name(name)
    jobs = _named(verb, targets)
    answer = await desk.ask(verb, name, {"jobs": jobs, **more}, connection=connection)
    if answer is None:
        raise QueueNotFoundError(name)
    return CommandResponse(
        jobs=tuple(UUID(job["id"]) for job in jobs), changed=tuple(UUID(changed) for changed in answer["changed"])
    )


def without_attempts(verb: str, targets: Target | Sequence[Target]) -> None:
    """Refuse attempts where a verb is about jobs that do not run. Raises `InputError`."""
    if any("attempt" in job for job in _named(verb, targets)):
        raise InputError(f"{verb} takes ids, not attempts: no attempt of these jobs runs.")


def _named(verb: str, targets: Target | Sequence[Target]) -> list[dict[str, Any]]:
    listed: Sequence[Any] = [targets] if _is_one(targets) else cast("Sequence[Any]", targets)
    jobs = list({job["id"]: job for job in (_job(verb, target) for target in listed)}.values())  # each once
    if not jobs:
        raise InputError(f"{verb} requires an id.")
    if len({len(job) for job in jobs}) > 1:
        raise InputError(f"{verb} requires either ids or attempts, not a mix.")
    return jobs


def _is_one(targets: Any) -> bool:
    if isinstance(targets, tuple):
        pair = cast("tuple[Any, ...]", targets)
        return len(pair) == 2 and isinstance(pair[1], int)
    return isinstance(targets, str | UUID | Job)


def _job(verb: str, target: Any) -> dict[str, Any]:
    if isinstance(target, Job):
        return {"id": str(target.id), "attempt": target.retry_count}
    if isinstance(target, tuple):
        return {"id": uuid_of(verb, target[0]), "attempt": _attempt(verb, target[1])}
    return {"id": uuid_of(verb, target)}


def uuid_of(verb: str, value: Any) -> str:
    """Return the id of a job as text. Raises `InputError` for what is no UUID."""
    try:
        return str(UUID(str(value)))
    except ValueError as error:
        raise InputError(f"{verb}: {value!r} is not the id of a job: those are UUIDs.") from error


def _attempt(verb: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InputError(f"{verb}: an attempt's retry_count is a whole number of at least 0, not {value!r}.")
    return value
