"""The storage's housekeeping, as a task of a worker."""

from __future__ import annotations

import asyncio

from jobcore.app import logs
from jobcore.errors import StorageError
from jobcore.ports.store import JobStore

AFTER_TROUBLE = 60.0
"""Seconds until a storage that was away is asked again."""


class Upkeep:
    """Asks the storage to do what it has to do, for as long as a worker lives."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin in the background."""
        self._task = asyncio.create_task(self._keep_up(), name="jobcore-upkeep")

    async def end(self) -> None:
        """Stop, in the middle of what is being done if need be; repeatable. Raises what it died of."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()

    async def _keep_up(self) -> None:
        while True:
            pause = await self._turn()
            if pause is None:
                return
            await asyncio.sleep(pause)

    async def _turn(self) -> float | None:
        try:
            return await self._store.upkeep()
        except StorageError as error:
            logs.upkeep_failed(error)
            return AFTER_TROUBLE
