"""Gives the jobs and schedules of one runner to another, for `JobApp.cutover` and `jobcore cutover`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from uuid import UUID

from jobcore.app import logs
from jobcore.app.move_counts import Counts, CutoverProgress
from jobcore.errors import EngineUnavailableError, InputError
from jobcore.ids import SYSTEM_TENANT, parse_tenant, uuid7
from jobcore.models import Cutover, HandlerStanding, Move, NewJob

if TYPE_CHECKING:
    from jobcore.app.queries import TenantId
    from jobcore.app.runners import RunnerPool
    from jobcore.handlers.registry import JobHandlerRegistry
    from jobcore.ports.runner import JobRunner
    from jobcore.ports.store import JobStore

TURNS = 20
"""How often jobs are looked at again that somebody held."""
PAUSE = 0.2
"""Seconds between two turns."""


class Mover:
    """One cutover. It keeps nothing but counts: what has been moved, the store knows, job by job."""

    def __init__(
        self, source: JobRunner, target: JobRunner, runners: RunnerPool, store: JobStore, registry: JobHandlerRegistry
    ) -> None:
        self._leaves = source
        self._takes = target
        self._source, self._target = source.runner_type, target.runner_type
        self._runners = runners
        self._store = store
        self._registry = registry

    async def run(
        self, *, handler: str | None, tenant: TenantId | None, dry_run: bool, progress: CutoverProgress | None
    ) -> Cutover:
        """See `JobApp.cutover`."""
        await self._require_possible()
        owner = None if tenant is None else parse_tenant(tenant)
        before = await self._store.count_movable(self._source, owner)
        matching = [one for one in before.handlers if handler is None or fnmatchcase(one.handler, handler)]
        standings = [one for one in matching if one.waiting or one.running or one.schedules]
        refused = {one.handler: why for one in standings if (why := self._unable(one.handler)) is not None}
        able = tuple(one.handler for one in standings if one.handler not in refused)
        warnings = [*await self._unserved(standings), *self._unknown(standings), *self._still_routed(standings)]
        move = Move(
            source=self._source,
            target=self._target,
            handlers=able,
            tenant=owner,
            until=before.at,
            options={handler.name: handler.engines.get(self._target, {}) for handler in self._registry},
        )
        counts = Counts(standings, refused, progress)
        if dry_run:
            counts.expect(able)
        else:
            for warning in warnings:
                logs.cutover_warning(warning)
            await self._move_schedules(move, counts)
            await self._move_jobs(move, counts)
            counts.see((await self._store.count_movable(self._source, owner)).handlers)
        return Cutover(
            source=self._source,
            target=self._target,
            dry_run=dry_run,
            handlers=tuple(counts.by_handler()),
            following=sum(one.following for one in matching),
            unrecorded=await self._leaves.unrecorded(),
            warnings=tuple(warnings),
        )

    async def _require_possible(self) -> None:
        if self._source == self._target:
            raise InputError(f"A cutover leads from one runner to another, not from {self._source!r} to itself.")
        health = await self._takes.health()
        if not health.healthy:
            raise EngineUnavailableError(
                f"Nothing was moved to the runner {self._target!r}, which cannot take jobs now: {health.detail}"
            )

    def _unable(self, handler: str) -> str | None:
        definition = self._registry.find(handler)
        able = self._takes.capabilities.executions
        if definition is None or definition.execution.value in able:
            return None
        return f"the runner {self._target!r} does not run it as {definition.execution.value}"

    async def _unserved(self, standings: Iterable[HandlerStanding]) -> list[str]:
        workers = [
            one for one in await self._store.live_workers() if one.runner_type == self._target and not one.stopping
        ]
        served = {handler for worker in workers for handler in worker.handlers}
        missing = sorted(one.handler for one in standings if one.handler not in served)
        if not workers:
            return [f"No live worker serves the runner {self._target!r}: what is moved runs once one is started."]
        return [f"No live worker of the runner {self._target!r} has {_listed(missing)}."] if missing else []

    def _unknown(self, standings: Iterable[HandlerStanding]) -> Iterator[str]:
        names = sorted(one.handler for one in standings if one.handler not in self._registry)
        if names:
            yield (
                f"Nothing is known here of {_listed(names)}: what these handlers tell the runner {self._target!r} of "
                "their jobs is left out. Name their modules in the setting handlers, or the application with --app."
            )

    def _still_routed(self, standings: Iterable[HandlerStanding]) -> Iterator[str]:
        names = sorted(one.handler for one in standings if self._goes_on(one.handler))
        if names:
            yield (
                f"New jobs of {_listed(names)} still go to {self._source!r}, as the settings here say: route them "
                "elsewhere in every process that enqueues, and run this again."
            )

    def _goes_on(self, handler: str) -> bool:
        definition = self._registry.find(handler)
        draft = NewJob(
            job_id=uuid7(),
            tenant=SYSTEM_TENANT,
            name=handler,
            payload=b"{}",
            runner_type=self._runners.default,
            queue=handler if definition is None else definition.queue,
        )
        own = None if definition is None else definition.runner
        return self._runners.name_for(draft, explicit=None, handler=own) == self._source

    async def _move_schedules(self, move: Move, counts: Counts) -> None:
        """Move them first, so that what fires from now on goes to the target."""
        for _ in range(TURNS):
            while moved := await self._store.move_schedules(move):
                counts.schedules.update(moved)
            left = (await self._store.count_movable(move.source, move.tenant)).handlers
            if not any(one.schedules for one in left if one.handler in move.handlers):
                return
            await asyncio.sleep(PAUSE)

    async def _move_jobs(self, move: Move, counts: Counts) -> None:
        for _ in range(TURNS):
            counts.begin_turn()
            after: tuple[UUID, UUID] | None = None
            while page := await self._store.move_jobs(move, after):
                counts.add(page)
                after = page[-1].tenant, page[-1].job_id
            if not counts.busy:
                return
            await asyncio.sleep(PAUSE)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
