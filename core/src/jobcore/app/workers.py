"""The application's worker: one worker for each engine in use, announced in the store as long as it lives."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from jobcore.app import logs
from jobcore.app.announced import ENGINE_OF, FLOW_OF, QUEUE_OF, AnnouncedHandlers, engine_of, flow_of, queue_of
from jobcore.app.hosting import Hosting, Queues
from jobcore.app.reload import Reload, reload_if_possible
from jobcore.app.runners import RunnerPool
from jobcore.app.tally import Tally
from jobcore.app.upkeep import Upkeep
from jobcore.errors import StorageError
from jobcore.execution import compose_observers
from jobcore.handlers.schemas import schema_of
from jobcore.ids import uuid7
from jobcore.models import Claim, WorkerRecord
from jobcore.ports.reload import Reloadable
from jobcore.ports.runner import Worker, WorkerHost
from jobcore.ports.store import JobStore
from jobcore.settings import Settings

ANNOUNCE_EVERY = 15.0
"""Seconds; a worker that was not heard of for a minute counts as gone."""
STALE_ATTEMPTS = "stale_attempts"
"""Where a worker's announcement says how many of its attempts ended after their jobs had been taken from it."""
RELOADED = "reloaded"
"""Where it says which was the last call to read the settings anew that it has followed."""
RELOAD_PROBLEM = "reload_problem"
"""Where it says why it could not."""
RELOAD_OPEN = "reload_open"
"""Where it says what of the settings is left to its restart."""
RETIRE_SECONDS = 5.0
"""How long a worker that has stopped tries to sign off."""


class AppWorker(Worker, Reloadable):
    """Serves queues on every engine that the application uses. Made by `JobApp.worker`."""

    def __init__(
        self,
        hosting: Hosting,
        runners: RunnerPool,
        store: JobStore,
        announced: AnnouncedHandlers,
        *,
        queues: Queues,
        concurrency: int | None,
        reload: Callable[[], Awaitable[Reload]],
    ) -> None:
        self.worker_id = uuid7()
        self._hosting = hosting
        self._runners = runners
        self._store = store
        self._announced = announced
        self._queues = queues
        self._reload = reload
        self._reloaded = 0
        self._reload_problem: str | None = None
        self._reload_open: tuple[str, ...] = ()
        self._is_fixed = concurrency is not None
        self._concurrency = concurrency or hosting.settings.worker.concurrency
        self._workers: dict[str, Worker] = {}
        self._announcing: asyncio.Task[None] | None = None
        self._upkeep = Upkeep(store)
        self._tally = Tally()

    async def start(self) -> None:
        """Begin to work; returns once every engine's worker is ready, and this one is announced.

        Raises:
            InvalidHandlerError: if a handler could not run here, such as one for a process that cannot be imported.
            StorageUnavailableError, SchemaVersionError: from an engine; no worker is left running.
        """
        self._hosting.executor.check()
        names = self._runners.names_in_use([handler.runner for handler in self._hosting.registry])
        for name in names:
            runner = await self._runners.get(name)
            self._workers[name] = runner.worker(self._host())
            fallback = self._runners.fallback_of(runner)
            if fallback is not None and fallback not in names:
                names.append(fallback)
        await self._start_workers()
        self._reloaded = await self._store.last_reload()
        await self._announce()
        await self._announce_payloads()
        await self._compare_queues()
        self._announcing = asyncio.create_task(self._keep_announcing(), name=f"jobcore-announce-{self.worker_id}")
        self._upkeep.begin()
        logs.worker_started(self.worker_id, self._workers, self._queues, self._concurrency)
        if not self._queues:
            logs.worker_without_handlers(self.worker_id)

    async def drain(self) -> None:
        try:
            await asyncio.gather(
                self._announce_if_possible(stopping=True), *(worker.drain() for worker in self._workers.values())
            )
        finally:
            await self._retire()

    async def stop(self, grace: timedelta | None = None) -> None:
        try:
            await asyncio.gather(*(worker.stop(grace) for worker in self._workers.values()))
        finally:
            await self._retire()

    def running(self) -> Sequence[Claim]:
        return [claim for worker in self._workers.values() for claim in worker.running()]

    @property
    def changeable(self) -> frozenset[str]:
        return frozenset() if self._is_fixed else frozenset({"worker.concurrency"})

    def reload(self, settings: Settings) -> Callable[[], None]:
        def apply() -> None:
            self.resize(settings.worker.concurrency)
            self._tally.tell()

        return apply

    def caveats(self, settings: Settings) -> Sequence[str]:
        """Name the routes to engines that this worker, which has started, does not serve."""
        return [
            f"The route {pattern!r} sends jobs to {route.runner!r}, which this worker does not serve: they wait for "
            "another worker, or until this one is restarted."
            for pattern, route in settings.routes.items()
            if self._workers and route.runner not in self._workers
        ]

    def resize(self, concurrency: int) -> None:
        self._concurrency = concurrency
        for worker in self._workers.values():
            worker.resize(concurrency)

    async def wait_closed(self) -> None:
        """Return once every engine's worker has stopped; raise what made one stop by itself."""
        waiting = [asyncio.ensure_future(worker.wait_closed()) for worker in self._workers.values()]
        if not waiting:
            return
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)
            failed = [task for task in waiting if task.done() and task.exception() is not None]
            if failed:
                await self.stop()
                failed[0].result()
        finally:
            for task in waiting:
                task.cancel()

    def _host(self) -> WorkerHost:
        """Return what each engine's worker gets; this one listens too."""
        host = self._hosting.host(self._queues, self._concurrency)
        observer = compose_observers((host.observe, self._tally))
        return replace(host, observe=observer, look_around=self._tally.tell)

    async def _start_workers(self) -> None:
        started: list[Worker] = []
        try:
            for worker in self._workers.values():
                await worker.start()
                started.append(worker)
        except BaseException:
            for worker in started:
                await worker.stop(timedelta())
            raise

    async def _keep_announcing(self) -> None:
        while True:
            await self._tally.wait_for_news(ANNOUNCE_EVERY)
            await self._reload_if_called()
            await self._announce_if_possible()

    async def _reload_if_called(self) -> None:
        """Read the settings anew if somebody called on all workers to; a store that is away is asked again."""
        try:
            called = await self._store.last_reload()
        except StorageError as error:
            logs.worker_not_announced(self.worker_id, error)
            return
        if called > self._reloaded:
            self._reload_problem = await reload_if_possible(self._follow, "jobcore reload")
            self._reloaded = called

    async def _follow(self) -> Reload:
        done = await self._reload()
        self._reload_open = done.open_points
        return done

    async def _announce_if_possible(self, *, stopping: bool = False) -> None:
        """Announce this worker and read who else lives; a store that is away now may be back the next time."""
        try:
            await self._announce(stopping=stopping)
            await self._announced.refresh()
        except StorageError as error:
            logs.worker_not_announced(self.worker_id, error)

    async def _announce(self, *, stopping: bool = False) -> None:
        for name, worker in self._workers.items():
            await self._store.announce(self._record(name, worker, stopping=stopping))

    async def _retire(self) -> None:
        """Stop announcing, once. Where the store is away, the others will count this worker as gone in a minute."""
        announcing, self._announcing = self._announcing, None
        if announcing is None:
            return
        announcing.cancel()
        await asyncio.wait([announcing])
        await self._upkeep.end()
        if not announcing.cancelled():
            announcing.result()
        try:
            async with asyncio.timeout(RETIRE_SECONDS):
                for worker in self._workers.values():
                    await self._store.retire(worker.worker_id)
        except (StorageError, TimeoutError) as error:
            logs.worker_not_retired(self.worker_id, error)
        logs.worker_stopped(self.worker_id)

    def _record(self, runner: str, worker: Worker, *, stopping: bool) -> WorkerRecord:
        queue_of = {handler: queue for queue, handlers in self._queues.items() for handler in handlers}
        served = [definition for definition in self._hosting.registry if definition.name in queue_of]
        flow = {definition.name: flow_of(definition) for definition in served}
        engines = {
            definition.name: engine_of(definition, self._runners.usual_for(definition.name, handler=definition.runner))
            for definition in served
        }
        return WorkerRecord(
            worker_id=worker.worker_id,
            runner_type=runner,
            host=socket.gethostname(),
            pid=os.getpid(),
            handlers=tuple(sorted(queue_of)),
            queues=tuple(sorted(self._queues)),
            concurrency=self._concurrency,
            stopping=stopping,
            details={
                QUEUE_OF: queue_of,
                FLOW_OF: {name: told for name, told in flow.items() if told},
                ENGINE_OF: {name: told for name, told in engines.items() if told},
                STALE_ATTEMPTS: self._tally.stale_attempts,
                RELOADED: self._reloaded,
                RELOAD_PROBLEM: self._reload_problem,
                RELOAD_OPEN: self._reload_open,
            },
        )

    async def _announce_payloads(self) -> None:
        """Let `jobcore check` of a later build know what the payloads look like here; a schema may be a version old."""
        schemas = [schema_of(handler) for handler in self._hosting.registry if handler.queue in self._queues]
        try:
            await self._store.put_payload_schemas([schema for schema in schemas if schema is not None])
        except StorageError as error:
            logs.payloads_not_announced(self.worker_id, error)

    async def _compare_queues(self) -> None:
        """Compare where jobs are enqueued with where live workers look for them, and say what differs (F19)."""
        live = await self._store.live_workers()
        served = {queue for worker in live for queue in worker.queues}
        logs.queues_unserved(
            {queue: names for queue, names in self._hosting.registry.queues().items() if queue not in served}
        )
        for worker in live:
            expected = queue_of(worker)
            for handler in self._hosting.registry:
                there = expected.get(handler.name, handler.queue)
                if there != handler.queue:
                    logs.queue_differs(handler.name, handler.queue, there, worker.worker_id)
