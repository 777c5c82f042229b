"""Handlers of other processes: which job names the live workers announced."""

from __future__ import annotations

from jobcore.errors import HandlerNotFoundError
from jobcore.handlers.registry import JobHandlerRegistry
from jobcore.ports.store import JobStore


class AnnouncedHandlers:
    """Refuses job names that nobody could run; asks the store only for names that this process does not know."""

    def __init__(self, registry: JobHandlerRegistry, store: JobStore) -> None:
        self._registry = registry
        self._store = store
        self._names: frozenset[str] = frozenset()

    async def refresh(self) -> None:
        """Read what the live workers announce now."""
        workers = await self._store.live_workers()
        self._names = frozenset(name for worker in workers for name in worker.handlers)

    async def require(self, name: str) -> None:
        """Raise `HandlerNotFoundError`, with near names, unless this process or a live worker has the handler (H07)."""
        if name in self._registry or name in self._names:
            return
        await self.refresh()
        self.require_known(name)

    def require_known(self, name: str) -> None:
        """As `require`, by what was read last: for calls that cannot wait."""
        if name not in self._registry and name not in self._names:
            raise HandlerNotFoundError(name, [*self._registry.get_registered_names(), *sorted(self._names)])
