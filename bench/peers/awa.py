"""Awa's Python client and worker, over its Rust core."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from awa import AsyncClient

SCHEMA = "awa"


@dataclass
class Order:
    tenantId: str  # noqa: N815
    number: int
    customer: str


class Peer:
    def __init__(self, dsn: str, workers: int) -> None:
        self._dsn = dsn
        self._workers = workers

    async def prepare(self, queues: list[str]) -> None:  # noqa: ARG002 - its queues need no making
        await self.open([], 1)
        await self._client.migrate()
        await self._client.install_queue_storage(schema=SCHEMA)  # its faster storage, which COPY needs
        await self.close()

    async def open(self, queues: list[str], callers: int) -> None:  # noqa: ARG002
        self._client = AsyncClient(self._dsn, max_connections=max(callers, 2))

    async def close(self) -> None:
        await self._client.close()

    async def enqueue(self, queue: str, payload: dict[str, Any]) -> None:
        await self._client.insert(Order(**payload), queue=queue)

    async def enqueue_bulk(self, queue: str, payloads: list[dict[str, Any]]) -> None:
        await self._client.enqueue_many_copy([Order(**payload) for payload in payloads], queue=queue)

    async def start_worker(self, queues: list[str], mark: Callable[[int], None]) -> None:
        self._client = AsyncClient(self._dsn, max_connections=20)

        @self._client.task(Order, queue=queues[0])
        async def noop(job: Any) -> None:
            mark(job.args.number)

        await self._client.start([(queue, self._workers) for queue in queues], queue_storage_schema=SCHEMA)

    async def stop_worker(self) -> None:
        await self._client.shutdown()
        await self._client.close()
