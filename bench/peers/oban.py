"""Oban for Python, the open-source one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oban import Oban, worker
from oban.schema import install


class Peer:
    def __init__(self, dsn: str, limit: int) -> None:
        self._dsn = dsn
        self._limit = limit
        self._mark: Callable[[int], None] = lambda _number: None
        mark_now = self._seen

        @worker(max_attempts=3)
        class Noop:
            async def process(self, job: Any) -> None:
                mark_now(job.args["number"])

        self._noop: Any = Noop

    async def prepare(self, queues: list[str]) -> None:  # noqa: ARG002 - its queues need no making
        pool = await Oban.create_pool(self._dsn)
        await install(pool)
        await pool.close()

    async def open(self, queues: list[str], callers: int) -> None:  # noqa: ARG002
        self._pool = await Oban.create_pool(self._dsn, min_size=callers, max_size=callers)
        self._oban = Oban(pool=self._pool)

    async def close(self) -> None:
        await self._pool.close()

    async def enqueue(self, queue: str, payload: dict[str, Any]) -> None:
        await self._oban.enqueue(self._noop.new(payload, queue=queue))

    async def enqueue_bulk(self, queue: str, payloads: list[dict[str, Any]]) -> None:
        await self._oban.enqueue_many([self._noop.new(payload, queue=queue) for payload in payloads])

    async def start_worker(self, queues: list[str], mark: Callable[[int], None]) -> None:
        self._mark = mark
        self._pool = await Oban.create_pool(self._dsn)
        self._oban = Oban(pool=self._pool, queues=dict.fromkeys(queues, self._limit))
        await self._oban.start()

    async def stop_worker(self) -> None:
        await self._oban.stop()
        await self._pool.close()

    def _seen(self, number: int) -> None:
        self._mark(number)
