"""The SDK's workers, one for each task queue: they take tasks from Temporal while it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from temporalio.client import Client
from temporalio.worker import Worker as SdkWorker

from jobcore.errors import EngineUnavailableError
from jobcore_temporal import logs
from jobcore_temporal.availability import TROUBLE
from jobcore_temporal.connection import Connection
from jobcore_temporal.lifeline import Lifeline
from jobcore_temporal.places import Places
from jobcore_temporal.sdk_workers import Code, make_worker
from jobcore_temporal.settings import TemporalRunnerSettings

PAUSE = 1.0
"""Seconds until it begins anew, where the server was away or refused it."""


class Pollers:
    """Begins them when the server is there, and again when they broke off."""

    def __init__(
        self,
        connection: Connection,
        lifeline: Lifeline,
        task_queues: Sequence[str],
        code: Code,
        settings: TemporalRunnerSettings,
        *,
        places: Places,
    ) -> None:
        self._connection = connection
        self._lifeline = lifeline
        self._task_queues = task_queues
        self._code = code
        self._settings = settings
        self._places = places
        self._workers: list[SdkWorker] = []
        logs.quiet_the_sdk()
        self._stopping = False
        self._told = ""

    async def turn(self) -> None:
        """Poll until stopped; come back soon if the server is not there."""
        if self._stopping:
            await asyncio.Event().wait()
        try:
            await self._connection.client()
        except EngineUnavailableError as error:
            await self._pause(error)
            return
        self._told = ""
        async with asyncio.TaskGroup() as group:
            for task_queue in self._task_queues:
                group.create_task(self._keep_polling(task_queue))

    async def shut_down(self) -> None:
        """Take no more tasks; returns when those that were taken are done."""
        self._stopping = True
        await asyncio.gather(*(worker.shutdown() for worker in self._workers))

    async def _keep_polling(self, task_queue: str) -> None:
        """Poll one queue; begin anew where the server broke it off, which is nothing to the other queues."""
        while not self._stopping:
            try:
                await self._poll(await self._connection.client(), task_queue)
            except (EngineUnavailableError, *TROUBLE) as error:
                await self._pause(error)

    async def _poll(self, client: Client, task_queue: str) -> None:
        """Poll one queue until it is shut down. A worker that could not begin stays its client's for ever, and the SDK
        refuses that client another one of the same queue: it is left."""
        slots = self._places.open()
        worker = make_worker(client, task_queue, self._code, slots, self._settings)
        self._workers.append(worker)
        try:
            await worker.run()
        except TROUBLE:
            self._connection.leave(client)
            raise
        finally:
            self._workers.remove(worker)
            self._places.close(slots)

    async def _pause(self, error: Exception) -> None:
        if (told := str(error)) != self._told:  # an outage is no reason for a line each second and queue
            logs.worker_waits(self._connection.address, error)
            self._told = told
        self._lifeline.failed(error)
        await asyncio.sleep(PAUSE)
