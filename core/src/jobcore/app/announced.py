"""Handlers of other processes: which job names the live workers announced, and in which queues they expect them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from jobcore.errors import HandlerNotFoundError
from jobcore.handlers.registry import AnyHandler, JobHandlerRegistry
from jobcore.models import WorkerRecord
from jobcore.policies.dedupe import Dedupe, announce_dedupe, read_dedupe
from jobcore.policies.limits import Limit, announce_limit, read_limit
from jobcore.ports.store import JobStore

QUEUE_OF = "queue_of"
"""Where a worker's record tells in which queue it expects each of its handlers' jobs."""
FLOW_OF = "flow_of"
"""Where a worker's record tells the limits and the rule for equal jobs of those handlers that have some."""
ENGINE_OF = "engine_of"
"""Where a worker's record tells the runner of each of its handlers' jobs, and what they tell it."""
BELIEVED_FOR = 60.0
"""Seconds; as long as a silent worker counts as alive."""


@dataclass(frozen=True, slots=True)
class FlowRules:
    """The flow control of one handler."""

    limits: tuple[Limit, ...] = ()
    dedupe: Dedupe | None = None


class AnnouncedHandlers:
    """Refuses job names that nobody could run; asks the store only for names that this process does not know."""

    def __init__(self, registry: JobHandlerRegistry, store: JobStore) -> None:
        self._registry = registry
        self._store = store
        self._queues: Mapping[str, str] = {}
        self._flow: Mapping[str, Mapping[str, Any]] = {}
        self._read_at = -BELIEVED_FOR

    async def refresh(self) -> None:
        """Read what the live workers announce now."""
        queues: dict[str, str] = {}
        flow: dict[str, Mapping[str, Any]] = {}
        for worker in await self._store.live_workers():
            told: Mapping[str, Any] = worker.details.get(FLOW_OF, {})
            queues |= queue_of(worker)
            flow |= {handler: told.get(handler, {}) for handler in worker.handlers}  # the youngest worker is last
        self._queues, self._flow = queues, flow
        self._read_at = time.monotonic()

    async def learn(self, name: str) -> None:
        """Read what live workers announce, unless this process has the handler, or did so lately."""
        if name not in self._registry and time.monotonic() - self._read_at > BELIEVED_FOR:
            await self.refresh()

    async def require(self, name: str) -> None:
        """Raise `HandlerNotFoundError`, with near names, unless this process or a live worker has the handler (H07)."""
        if name in self._registry:
            return
        if name not in self._queues or time.monotonic() - self._read_at > BELIEVED_FOR:
            await self.refresh()
        self.require_known(name)

    def require_known(self, name: str) -> None:
        """As `require`, by what was read last: for calls that cannot wait."""
        if name not in self._registry and name not in self._queues:
            raise HandlerNotFoundError(name, [*self._registry.get_registered_names(), *sorted(self._queues)])

    def queue_of(self, name: str) -> str:
        """Return the queue in which a live worker expects jobs of this name; the name itself if none told."""
        return self._queues.get(name, name)

    def flow_of(self, name: str) -> FlowRules:
        """Return the limits and the rule for equal jobs that a live worker announced, when it was last asked.

        Raises:
            InputError: if these need a function that only a process with the handler has.
        """
        told = self._flow.get(name, {})
        dedupe = told.get("dedupe")
        return FlowRules(
            tuple(read_limit(name, limit) for limit in told.get("limits", ())),
            None if dedupe is None else read_dedupe(name, dedupe),
        )


def flow_of(definition: AnyHandler) -> dict[str, Any]:
    """Return what a worker announces of a handler's flow control; nothing if it has none."""
    told: dict[str, Any] = {}
    if definition.limits:
        told["limits"] = [announce_limit(limit) for limit in definition.limits]
    if definition.dedupe is not None:
        told["dedupe"] = announce_dedupe(definition.dedupe)
    return told


def engine_of(definition: AnyHandler, runner: str | None) -> dict[str, Any]:
    """Return what a worker announces of where a handler's jobs run; nothing if they cannot."""
    if runner is None:
        return {}
    told = {"runner": runner, "timeout_ms": definition.timeout // timedelta(milliseconds=1)}
    options = definition.engines.get(runner) if definition.engines else None
    return {**told, "options": options} if options else told


def queue_of(worker: WorkerRecord) -> dict[str, str]:
    """Return the handlers that a worker announced, each with its queue."""
    told: Mapping[str, str] = worker.details.get(QUEUE_OF, {})
    return {handler: told.get(handler, handler) for handler in worker.handlers}
