"""The tasks of a worker: begun together, ended by name, and watched, so that none dies unseen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from jobcore_postgres.background.endings import end_tasks
from jobcore_postgres.background.perseverance import persevere
from jobcore_postgres.background.troubles import Troubles


class Roles:
    """The background roles and slots of one worker."""

    def __init__(self) -> None:
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}
        self._closed: asyncio.Future[None] | None = None
        self._troubles = Troubles()

    def begin(self, role: str, turn: Callable[[], Awaitable[None]]) -> None:
        """Take turns in the background, through troubles of the database."""
        self.watch(role, persevere(role, turn, self._troubles))

    def watch(self, role: str, *works: Awaitable[None]) -> None:
        """Run these in the background. An error that one raises ends `wait_closed` with it."""
        for work in works:
            task = asyncio.ensure_future(work)
            task.set_name(f"jobcore {role}")
            task.add_done_callback(self._note_end)
            self._tasks.setdefault(role, []).append(task)

    async def end(self, role: str) -> None:
        """Cancel a role and wait until it is gone."""
        await end_tasks(self._tasks.pop(role, []))
        self._troubles.ended(role)

    async def without_database(self, seconds: float, *roles: str) -> None:
        """Return once one of these roles has had trouble with the database for so long, from now on."""
        await self._troubles.outlast(seconds, roles)

    async def wait_for_trouble(self) -> None:
        """Return once a role has had trouble with the database since the last such call."""
        await self._troubles.wait_for_one()

    async def close(self) -> None:
        """End all that still run."""
        for role in list(self._tasks):
            await self.end(role)
        closed = self._future()
        if not closed.done():
            closed.set_result(None)

    @property
    def are_closed(self) -> bool:
        """Whether `close` has been called."""
        return self._closed is not None and self._closed.done() and not self._tasks

    async def wait_closed(self) -> None:
        """Return once `close` has been called. Raises what a role died of."""
        await asyncio.shield(self._future())

    async def unless_closed(self, *conditions: Awaitable[None]) -> None:
        """Wait for one of these conditions, or until all is closed, whichever comes first."""
        waiting = [asyncio.ensure_future(condition) for condition in conditions]
        try:
            await asyncio.wait((*waiting, self._future()), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    def _note_end(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None and not self._future().done():
            self._future().set_exception(error)

    def _future(self) -> asyncio.Future[None]:
        if self._closed is None:
            self._closed = asyncio.get_running_loop().create_future()
        return self._closed
