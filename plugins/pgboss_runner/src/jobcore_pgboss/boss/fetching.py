"""Fetches jobs by hand, for those who work them without a worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, overload

from psycopg import errors as pg
from pydantic import ValidationError

from jobcore.errors import InputError
from jobcore_pgboss.boss.desk import Verbs
from jobcore_pgboss.boss.errors import QueueNotFoundError
from jobcore_pgboss.boss.models import Job, JobWithMetadata, job_of, job_with_metadata_of
from jobcore_pgboss.boss.options import check_queue_name
from jobcore_pgboss.settings import GroupLimit

LARGEST_BATCH = 10_000


class Fetching(Verbs):
    """`fetch`."""

    @overload
    async def fetch(
        self,
        name: str,
        *,
        batch_size: int = 1,
        include_metadata: Literal[False] = False,
        group_concurrency: int | Mapping[str, Any] | None = None,
        connection: Any = None,
    ) -> list[Job]: ...

    @overload
    async def fetch(
        self,
        name: str,
        *,
        batch_size: int = 1,
        include_metadata: Literal[True],
        group_concurrency: int | Mapping[str, Any] | None = None,
        connection: Any = None,
    ) -> list[JobWithMetadata]: ...

    async def fetch(
        self,
        name: str,
        *,
        batch_size: int = 1,
        include_metadata: bool = False,
        group_concurrency: int | Mapping[str, Any] | None = None,
        connection: Any = None,
    ) -> list[Job] | list[JobWithMetadata]:
        """Claim due jobs of a queue, by priority and age, as its policy allows. Who fetches a job must settle it.

        Args:
            name: the queue.
            batch_size: how many at most, up to 10,000.
            include_metadata: everything that the jobs' rows tell.
            group_concurrency: how many jobs of a group may run at once; or `{"default": 2, "tiers": {"gold": 5}}`.
            connection: the application's own, in whose transaction they are claimed.

        Raises:
            InputError: if an option cannot be meant.
            QueueNotFoundError: if there is no such queue.
            StorageUnavailableError: if the database cannot be reached.
        """
        if not 1 <= batch_size <= LARGEST_BATCH:
            raise InputError(f"batch_size must be between 1 and {LARGEST_BATCH:,}, not {batch_size!r}.")
        argument: dict[str, Any] = {"batch_size": batch_size}
        if group_concurrency is not None:
            argument["group_limits"] = {name: group_limit_of(group_concurrency)}
        try:
            rows = await self._desk.ask("fetch", check_queue_name(name), argument, connection=connection)
        except pg.UniqueViolation:
            if connection is not None:
                raise  # the caller's transaction is broken, which it has to know
            return []  # another has just taken the place that the policy leaves: as in Node, an empty fetch
        if rows is None:
            raise QueueNotFoundError(name)
        if include_metadata:
            return [job_with_metadata_of(row) for row in rows]
        return [job_of(row) for row in rows]


def group_limit_of(group_concurrency: int | Mapping[str, Any]) -> dict[str, Any]:
    """Return a group's limit as the statements take it. Raises `InputError`."""
    given = {"default": group_concurrency} if isinstance(group_concurrency, int) else dict(group_concurrency)
    try:
        return GroupLimit.model_validate(given).model_dump()
    except ValidationError as error:
        raise InputError(f"group_concurrency: {error.errors(include_input=False)[0]['msg']}.") from error
