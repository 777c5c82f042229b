"""Handlers of other processes: which job names the live workers announced, and in which queues they expect them."""

from __future__ import annotations

import time
from collections.abc import Mapping

from jobcore.errors import HandlerNotFoundError
from jobcore.handlers.registry import JobHandlerRegistry
from jobcore.models import WorkerRecord
from jobcore.ports.store import JobStore

QUEUE_OF = "queue_of"
"""Where a worker's record tells in which queue it expects each of its handlers' jobs."""
BELIEVED_FOR = 60.0
"""Seconds; as long as a silent worker counts as alive."""


class AnnouncedHandlers:
    """Refuses job names that nobody could run; asks the store only for names that this process does not know."""

    def __init__(self, registry: JobHandlerRegistry, store: JobStore) -> None:
        self._registry = registry
        self._store = store
        self._queues: Mapping[str, str] = {}
        self._read_at = -BELIEVED_FOR

    async def refresh(self) -> None:
        """Read what the live workers announce now."""
        queues: dict[str, str] = {}
        for worker in await self._store.live_workers():
            queues |= queue_of(worker)
        self._queues = queues
        self._read_at = time.monotonic()

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


def queue_of(worker: WorkerRecord) -> dict[str, str]:
    """Return the handlers that a worker announced, each with its queue."""
    told: Mapping[str, str] = worker.details.get(QUEUE_OF, {})
    return {handler: told.get(handler, handler) for handler in worker.handlers}
