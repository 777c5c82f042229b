"""jobcore in its shipped configuration; the line for each finished job is on or off by option."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from jobcore import JobContext, job
from jobcore.app.facade import JobApp
from jobcore.settings import Settings
from jobcore_postgres.migrations import migrate


class Order(BaseModel):
    tenantId: UUID  # noqa: N815 - the name that payloads have
    number: int
    customer: str


class Peer:
    def __init__(self, dsn: str, log: bool = False) -> None:
        self._dsn = dsn
        self._log = log
        if log:
            logging.basicConfig(level=logging.INFO)  # to standard error, which the harness keeps in a file

    async def prepare(self, queues: list[str]) -> None:
        migrate(self._dsn)
        await self.open(queues, 1)  # makes the queues
        await self.enqueue_bulk(queues[0], [])
        await self.close()

    async def open(self, queues: list[str], callers: int) -> None:  # noqa: ARG002 - its pool serves any number
        await self._open(queues, lambda _number: None)

    async def close(self) -> None:
        await self._app.close()

    async def enqueue(self, queue: str, payload: dict[str, Any]) -> None:
        await self._app.enqueue(self._jobs[queue], Order(**payload))

    async def enqueue_bulk(self, queue: str, payloads: list[dict[str, Any]]) -> None:
        await self._app.enqueue_many(self._jobs[queue], (Order(**payload) for payload in payloads))

    async def start_worker(self, queues: list[str], mark: Callable[[int], None]) -> None:
        await self._open(queues, mark)
        self._worker = self._app.worker()
        await self._worker.start()

    async def stop_worker(self) -> None:
        await self._worker.stop(timedelta(seconds=5))
        await self._app.close()

    async def _open(self, queues: list[str], mark: Callable[[int], None]) -> None:
        self._jobs = {queue: handler(queue, mark) for queue in queues}
        settings = Settings.load(
            env={"DATABASE_URL": self._dsn, "JOBCORE_LOG__FINISHED_JOBS": "true" if self._log else "false"}
        )
        self._app = JobApp(settings, handlers=list(self._jobs.values()))
        await self._app.open()


def handler(queue: str, mark: Callable[[int], None]) -> Any:
    @job(queue)
    async def noop(_ctx: JobContext, data: Order) -> None:
        mark(data.number)

    return noop
