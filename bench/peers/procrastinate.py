"""Procrastinate over psycopg 3."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from procrastinate import App, PsycopgConnector


class Peer:
    def __init__(self, dsn: str, concurrency: int) -> None:
        self._dsn = dsn
        self._concurrency = concurrency

    async def prepare(self, queues: list[str]) -> None:
        await self.open(queues, 1)
        await self._app.schema_manager.apply_schema_async()
        await self.close()

    async def open(self, queues: list[str], callers: int) -> None:
        await self._open(queues, callers, lambda _number: None)

    async def close(self) -> None:
        await self._app.close_async()

    async def enqueue(self, queue: str, payload: dict[str, Any]) -> None:
        await self._tasks[queue].defer_async(**payload)

    async def enqueue_bulk(self, queue: str, payloads: list[dict[str, Any]]) -> None:
        await self._tasks[queue].batch_defer_async(*payloads)

    async def start_worker(self, queues: list[str], mark: Callable[[int], None]) -> None:
        await self._open(queues, self._concurrency, mark)
        run = self._app.run_worker_async(concurrency=self._concurrency, install_signal_handlers=False)
        self._running = asyncio.create_task(run)

    async def stop_worker(self) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self.close()

    async def _open(self, queues: list[str], connections: int, mark: Callable[[int], None]) -> None:
        self._app = App(connector=PsycopgConnector(conninfo=self._dsn, min_size=1, max_size=connections))

        async def noop(number: int, **_rest: object) -> None:
            mark(number)

        self._tasks = {queue: self._app.task(name=queue, queue=queue)(noop) for queue in queues}
        await self._app.open_async()
