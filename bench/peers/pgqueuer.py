"""PgQueuer over asyncpg."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import asyncpg
from pgqueuer import PgQueuer, Queries
from pgqueuer.db import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.models import Job


class Peer:
    def __init__(self, dsn: str, batch_size: int) -> None:
        self._dsn = dsn
        self._batch_size = batch_size

    async def prepare(self, queues: list[str]) -> None:  # noqa: ARG002 - its queues need no making
        await self.open([], 1)
        await self._queries.install()
        await self.close()

    async def open(self, queues: list[str], callers: int) -> None:  # noqa: ARG002
        if callers == 1:
            self._connection = await asyncpg.connect(self._dsn)
            self._queries = Queries(AsyncpgDriver(self._connection))
        else:
            self._connection = await asyncpg.create_pool(self._dsn, min_size=callers, max_size=callers)
            self._queries = Queries(AsyncpgPoolDriver(self._connection))

    async def close(self) -> None:
        await self._connection.close()

    async def enqueue(self, queue: str, payload: dict[str, Any]) -> None:
        await self._queries.enqueue(queue, json.dumps(payload).encode())

    async def enqueue_bulk(self, queue: str, payloads: list[dict[str, Any]]) -> None:
        count = len(payloads)
        await self._queries.enqueue([queue] * count, [json.dumps(each).encode() for each in payloads], [0] * count)

    async def start_worker(self, queues: list[str], mark: Callable[[int], None]) -> None:
        self._connection = await asyncpg.connect(self._dsn)
        self._worker = PgQueuer.from_asyncpg_connection(self._connection)
        for queue in queues:

            @self._worker.entrypoint(queue)
            async def noop(job: Job) -> None:
                mark(json.loads(job.payload or b"{}")["number"])

        run = self._worker.run(batch_size=self._batch_size, dequeue_timeout=timedelta(seconds=5))
        self._running = asyncio.create_task(run)

    async def stop_worker(self) -> None:
        self._worker.shutdown.set()
        await self._running
        await self._connection.close()
