"""Fetches jobs by hand, for those who work them without a worker."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack, overload

from psycopg import errors as pg
from pydantic import ValidationError

from jobcore.errors import InputError
from jobcore_pgboss.boss.desk import Verbs
from jobcore_pgboss.boss.errors import QueueNotFoundError
from jobcore_pgboss.boss.models import Job, JobWithMetadata, job_of, job_with_metadata_of
from jobcore_pgboss.boss.options import check_known, check_queue_name, check_whole
from jobcore_pgboss.settings import GroupLimit

LARGEST_BATCH = 10_000


class FetchFilters(TypedDict, total=False):
    """Which of the jobs of a queue `fetch` gives out."""

    ignore_start_after: bool
    """Also those that are not due yet."""
    min_priority: int
    max_priority: int
    ignore_groups: Sequence[str] | None
    """None of these groups."""


class FetchOptions(FetchFilters, total=False):
    """What `fetch` takes beside."""

    batch_size: int
    """How many at most, up to 10,000; 1 if nothing is said."""
    group_concurrency: int | Mapping[str, Any] | None
    """How many jobs of a group may run at once; or `{"default": 2, "tiers": {"gold": 5}}`."""
    priority: bool
    """Does nothing, as in Node since 12.30: it is always fetched by priority."""
    connection: Any
    """The application's own, in whose transaction jobs are claimed."""


class Fetching(Verbs):
    """`fetch`."""

    @overload
    async def fetch(
        self, name: str, *, include_metadata: Literal[False] = False, **options: Unpack[FetchOptions]
    ) -> list[Job]: ...

    @overload
    async def fetch(
        self, name: str, *, include_metadata: Literal[True], **options: Unpack[FetchOptions]
    ) -> list[JobWithMetadata]: ...

    async def fetch(
        self, name: str, *, include_metadata: bool = False, **options: Unpack[FetchOptions]
    ) -> list[Job] | list[JobWithMetadata]:
        """Claim due jobs of a queue, by priority and age, as its policy allows. Who fetches a job must settle it.

        Args:
            name: the queue.
            include_metadata: everything that the jobs' rows tell.
            options: `FetchOptions` tells each.

        Raises:
            InputError: if an option cannot be meant.
            QueueNotFoundError: if there is no such queue.
            StorageUnavailableError: if the database cannot be reached.
        """
        connection = options.get("connection")
        argument = check_fetch_options(options)
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


def check_fetch_options(options: FetchOptions) -> dict[str, Any]:
    """Return the options as the statement takes them. Raises `InputError`."""
    check_known(options, FetchOptions)
    batch_size = options.get("batch_size", 1)
    check_whole({"batch_size": batch_size}, "batch_size", 1)
    if batch_size > LARGEST_BATCH:
        raise InputError(f"batch_size must be between 1 and {LARGEST_BATCH:,}, not {batch_size!r}.")
    if not options.get("priority", True):
        warnings.warn(
            "fetch: priority=False does nothing, as in Node: jobs are always fetched by priority. Leave it out.",
            DeprecationWarning,
            stacklevel=3,
        )
    argument: dict[str, Any] = {"batch_size": batch_size, "filters": _filters(options)}
    if (group_concurrency := options.get("group_concurrency")) is not None:
        argument["group_limit"] = _limit(group_concurrency)
    return argument


def _filters(options: FetchOptions) -> dict[str, Any]:
    for bound in ("min_priority", "max_priority"):
        check_whole(options, bound, None)
    for flag in ("ignore_start_after", "priority"):
        if not isinstance(options.get(flag, True), bool):
            raise InputError(f"{flag} must be either True or False, not {options.get(flag)!r}.")
    least, most = options.get("min_priority"), options.get("max_priority")
    if least is not None and most is not None and least > most:
        raise InputError(f"min_priority must be at most max_priority, not {least} with {most}.")
    if isinstance(options.get("ignore_groups"), str):
        raise InputError(f"ignore_groups is a list of groups, not {options.get('ignore_groups')!r}.")
    given = {key: options.get(key) for key in FetchFilters.__annotations__}
    return {key: value for key, value in given.items() if value is not None and value is not False}


def _limit(group_concurrency: int | Mapping[str, Any]) -> dict[str, Any]:
    given = {"default": group_concurrency} if isinstance(group_concurrency, int) else dict(group_concurrency)
    try:
        return GroupLimit.model_validate(given).model_dump()
    except ValidationError as error:
        raise InputError(f"group_concurrency: {error.errors(include_input=False)[0]['msg']}.") from error
