"""Keeps this worker's row in pg-boss's registry of instances."""

from __future__ import annotations

import asyncio
import os
import platform
import socket
from collections.abc import Sequence
from datetime import datetime
from importlib.metadata import version
from uuid import UUID

from jobcore_pgboss.duties.desk import Desk, json_of


class Registry:
    """Registers the worker, renews its heartbeat, and says when it has stopped. Versions before 44 have no registry."""

    def __init__(self, desk: Desk, worker_id: UUID, queues: Sequence[str], concurrency: int) -> None:
        self._desk = desk
        self._worker_id = worker_id
        self._queues = queues
        self._concurrency = concurrency
        self._started_on: datetime | None = None

    async def turn(self) -> None:
        """Beat once, and wait until the next beat is due."""
        if (await self._desk.features()).has_instances:
            self._started_on = await self._desk.value("instance_beat", *self._facts(), self._started_on)
        await asyncio.sleep(self._desk.settings.heartbeat_seconds)

    async def leave(self) -> None:
        """Say that this worker has stopped. Raises `psycopg.Error`."""
        if self._started_on is not None:
            await self._desk.rows("instance_stop", self._worker_id)

    def _facts(self) -> tuple[object, ...]:
        settings = self._desk.settings
        return (
            self._worker_id,
            socket.gethostname(),
            os.getpid(),
            version("jobcore-pgboss-runner"),
            f"{platform.python_implementation()} {platform.python_version()}",
            settings.heartbeat_seconds,
            settings.enabled,
            settings.schedule,
            settings.persist_warnings,
            json_of([self._entry(queue) for queue in self._queues]),
            json_of({"adapter": "jobcore", "schedule": settings.schedule, "supervise": settings.enabled}),
        )

    def _entry(self, queue: str) -> dict[str, object]:
        """One queue that is served, as pg-boss tells of a `work` call."""
        return {
            "id": f"{self._worker_id}:{queue}",
            "queue": queue,
            "localConcurrency": self._concurrency,
            "batchSize": 1,
            "pollingIntervalSeconds": None,
            "active": 0,
            "lastFetchedOn": None,
            "lastJobEndedOn": None,
            "lastErrorOn": None,
            "options": {},
        }
