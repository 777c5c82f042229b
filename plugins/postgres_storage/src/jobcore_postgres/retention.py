"""What is kept, and for how long: the defaults, the tenants' own rules, and deleting by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import orjson

from jobcore.errors import InputError
from jobcore.states import TERMINAL_STATES, JobState
from jobcore_postgres.database import Connection, Database
from jobcore_postgres.pruning import Pruning, Walk
from jobcore_postgres.queries import affected_by, rows_of, value_of
from jobcore_postgres.settings import PostgresSettings

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Rule:
    """How long a tenant's jobs of one state are kept after their end; `None` for ever."""

    tenant: UUID
    state: JobState
    keep: timedelta | None


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was deleted, or would be, of one tenant's jobs of one state; of a count, `details` is `None`."""

    tenant: UUID
    state: JobState
    jobs: int
    details: int | None = None


def defaults_of(settings: PostgresSettings) -> str:
    """Return the settings' defaults as `jobcore.retention_rules` takes them."""
    days = {
        JobState.COMPLETED: settings.keep_completed_days,
        JobState.FAILED: settings.keep_failed_days,
        JobState.CANCELLED: settings.keep_cancelled_days,
    }
    return orjson.dumps(
        {state.value: None if keep is None else timedelta(days=keep) // _MILLISECOND for state, keep in days.items()}
    ).decode()


class Retention:
    """The rules of one storage. Only ended jobs are ever deleted, and none that has a child which is still to end."""

    def __init__(self, database: Database, settings: PostgresSettings) -> None:
        self._database = database
        self._settings = settings

    def go_by(self, settings: PostgresSettings) -> None:
        """Take other defaults from now on."""
        self._settings = settings

    async def overrides(self, tenant: UUID | None = None) -> Sequence[Rule]:
        """Return the rules that tenants have of their own."""

        async def read(connection: Connection) -> Sequence[Rule]:
            rows = await rows_of(connection, "retention_overrides", {"tenant": tenant})
            return [_rule(row["tenant"], row["state"], row["keep_ms"]) for row in rows]

        return await self._database.repeatable(read)

    async def set_rule(self, rule: Rule) -> None:
        """Give a tenant a rule of its own, from the next round on. Raises `InputError` for a state that is no end."""
        _require_ended(rule.state)
        keep_ms = None if rule.keep is None else _milliseconds(rule.keep)
        values = {"tenant": rule.tenant, "state": rule.state.value, "keep_ms": keep_ms}
        await self._change("retention_set", values)

    async def unset(self, tenant: UUID, state: JobState | None = None) -> None:
        """Let the defaults stand for a tenant again, for one state or for all."""
        await self._change("retention_unset", {"tenant": tenant, "state": None if state is None else state.value})

    async def plan(
        self,
        *,
        older_than: timedelta | None = None,
        states: Sequence[JobState] = (),
        tenant: UUID | None = None,
    ) -> Sequence[Walk]:
        """Return what there is to walk over.

        Args:
            older_than: delete what ended so long ago, whatever the rules say; `None` means by the rules.
            states: all three ends without one.
            tenant: every tenant's without one.

        Raises:
            InputError: for an age that is not positive, or a state that is no end.
        """
        for state in states:
            _require_ended(state)
        chosen = [state for state in JobState if state in (states or TERMINAL_STATES)]
        if older_than is None:
            return [walk for walk in await self._by_rules(tenant) if walk.state in chosen]
        keep_ms = _milliseconds(older_than)
        tenants = await self._tenants() if tenant is None else [tenant]
        return [Walk(one, state, keep_ms) for one in tenants for state in chosen]

    async def count(self, walk: Walk) -> Pruned:
        """Count what `prune` would delete. Reads all of the tenant's jobs of that age, and locks nothing."""
        arguments = (walk.tenant, walk.state.value, walk.keep_ms)
        async with self._database.connection() as connection:
            return Pruned(walk.tenant, walk.state, await value_of(connection, "job_prune_count", arguments))

    async def prune(self, walk: Walk, progress: Callable[[int], None] | None = None) -> Pruned:
        """Delete in small batches, with pauses; return how much. May be stopped at any point, and repeated.

        Args:
            progress: told after each batch how many jobs have gone.
        """
        gone = [0, 0]

        def count(jobs: int, details: int) -> None:
            gone[0] += jobs
            gone[1] += details
            if progress is not None:
                progress(gone[0])

        await Pruning(self._database, self._settings.prune_share).walk(walk, count)
        return Pruned(walk.tenant, walk.state, *gone)

    async def _by_rules(self, tenant: UUID | None) -> list[Walk]:
        async with self._database.connection() as connection:
            rows = await rows_of(connection, "retention_rules", (defaults_of(self._settings),))
        return [
            Walk(row["tenant"], JobState(row["state"]), row["keep_ms"])
            for row in rows
            if tenant is None or row["tenant"] == tenant
        ]

    async def _tenants(self) -> list[UUID]:
        async with self._database.connection() as connection:
            return [row["tenant"] for row in await rows_of(connection, "job_tenants")]

    async def _change(self, name: str, values: Mapping[str, object]) -> None:
        """Change rules, and let the next walk begin anew: with a shorter time, what was passed over is due."""
        async with self._database.transaction() as connection:
            await affected_by(connection, name, values)
            await affected_by(connection, "retention_unmark", values)


def _rule(tenant: UUID, state: str, keep_ms: int | None) -> Rule:
    return Rule(tenant, JobState(state), None if keep_ms is None else timedelta(milliseconds=keep_ms))


def _require_ended(state: JobState) -> None:
    if state not in TERMINAL_STATES:
        ends = ", ".join(sorted(one.value for one in TERMINAL_STATES))
        raise InputError(f"Jobs that are {state.value} have not ended and are never deleted; choose from {ends}.")


def _milliseconds(age: timedelta) -> int:
    if age < _MILLISECOND:
        raise InputError(f"An age of {age} would delete jobs as they end: name a positive one, such as '30 days'.")
    return age // _MILLISECOND
