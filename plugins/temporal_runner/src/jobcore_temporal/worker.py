"""The worker: which roles there are, and in which order they begin and end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

from jobcore.models import Claim
from jobcore.ports.runner import Worker, WorkerHost
from jobcore_postgres.admitter import CHANNEL as ADMISSION_CHANNEL
from jobcore_postgres.admitter import Admitter
from jobcore_postgres.background.endings import within
from jobcore_postgres.background.link import Link
from jobcore_postgres.background.listener import CANCEL_CHANNEL, RELOAD_CHANNEL, Listener
from jobcore_postgres.background.lookout import Lookout
from jobcore_postgres.background.roles import Roles
from jobcore_postgres.background.timekeeper import Timekeeper
from jobcore_postgres.outbox import CHANNEL as OUTBOX_CHANNEL
from jobcore_postgres.outbox import Outbox
from jobcore_postgres.store import PostgresStore
from jobcore_temporal import logs
from jobcore_temporal.activities import Activities
from jobcore_temporal.connection import Connection
from jobcore_temporal.execution import Execution
from jobcore_temporal.identity import RUNNER_TYPE
from jobcore_temporal.keeper import Keeper
from jobcore_temporal.lifeline import Lifeline
from jobcore_temporal.own_code import own_code
from jobcore_temporal.places import Places
from jobcore_temporal.pollers import Pollers
from jobcore_temporal.reconciler import Reconciler
from jobcore_temporal.recording import RecordingInterceptor
from jobcore_temporal.relay import Relay
from jobcore_temporal.runs import Runs
from jobcore_temporal.sdk_workers import Code
from jobcore_temporal.settings import TemporalRunnerSettings
from jobcore_temporal.task_queues import check_task_queue
from jobcore_temporal.workflow import GenericJobWorkflow

LAST_WORD = 5.0
"""Seconds that aborted handlers get to end, and their last words to be written, when a worker stops."""


class TemporalWorker(Worker):
    """Takes tasks from Temporal, and looks after the outbox. It lives through the absences of both."""

    def __init__(
        self,
        store: PostgresStore,
        outbox: Outbox,
        settings: TemporalRunnerSettings,
        host: WorkerHost,
        fallback: str | None,
    ) -> None:
        self.worker_id = uuid4()
        self._store = store
        self._settings = settings
        self._host = host
        self._runs = Runs()
        self._roles = Roles()
        self._link = Link(settings.listening.database(store.database), "worker listener")
        self._stopping: asyncio.Task[None] | None = None
        self._hire(outbox, fallback)

    def _hire(self, outbox: Outbox, fallback: str | None) -> None:
        """Make the roles, and tell each whom it speaks to."""
        settings, host = self._settings, self._host
        connection = Connection(settings)
        self._lifeline = Lifeline(connection, settings, host.observe, fallback)
        self._relay = Relay(outbox, connection, self._lifeline, settings, fallback)
        self._reconciler = Reconciler(outbox, connection, self._lifeline, settings.reconcile_interval_seconds)
        self._keeper = Keeper(outbox, self._runs, settings.cancel_poll_seconds)
        self._places = Places(host.concurrency)
        self._execution = Execution(
            outbox,
            self._store,
            host,
            self._runs,
            places=self._places,
            worker_id=self.worker_id,
            patience=settings.settle_patience_seconds,
        )
        activities = Activities(self._execution, outbox, self._store, self.worker_id).all()
        self._task_queues = sorted(
            {check_task_queue(name, queue, settings) for queue, names in host.queues.items() for name in names}
        )
        own = own_code(host.engine_options)
        self._pollers = Pollers(
            connection,
            self._lifeline,
            self._task_queues,
            Code(
                workflows=[GenericJobWorkflow, *own.workflows],
                activities=[*activities, *own.activities],
                interceptors=[RecordingInterceptor(self._store)] if own.workflows else [],
            ),
            settings,
            places=self._places,
        )
        self._admitter = Admitter(self._store)
        self._timekeeper = Timekeeper(self._store, host)
        self._lookout = Lookout(self._store.database, RUNNER_TYPE, self._roles.wait_for_trouble, host.observe)
        self._listener = Listener(
            self._link,
            settings.listening,
            {
                OUTBOX_CHANNEL: lambda _: self._relay.hint(),
                CANCEL_CHANNEL: self._keeper.cancel_told,
                ADMISSION_CHANNEL: lambda _: self._admitter.hint(),
                RELOAD_CHANNEL: lambda _: host.look_around(),
            },
            self._admitter.hint,
            self._relay.hint,
        )

    async def start(self) -> None:
        """Begin; returns at once, though Temporal may be away: it is then tried again, loudly.

        Raises `StorageUnavailableError` and `ConfigurationError`.
        """
        await self._store.database.ping()
        await self._settings.listening.check(self._link, self._store.database)
        self._roles.begin("poller", self._pollers.turn)
        self._roles.begin("lifeline", self._lifeline.turn)
        self._roles.begin("listener", self._listener.turn)
        self._roles.begin("keeper", self._keeper.turn)
        self._roles.begin("relay", self._relay.turn)
        self._roles.begin("reconciler", self._reconciler.turn)
        self._roles.begin("timekeeper", self._timekeeper.turn)
        self._roles.begin("admitter", self._admitter.turn)
        self._roles.begin("lookout", self._lookout.turn)
        by_load = self._settings.tuner.targets is not None
        logs.worker_started(self.worker_id, self._task_queues, self._host.concurrency, by_load=by_load)
        if self._settings.deployment.version is not None:
            logs.worker_is_version(self.worker_id, *self._settings.deployment.version)

    async def drain(self) -> None:
        await self._stop_polling()
        await self._close()

    async def stop(self, grace: timedelta | None = None) -> None:
        if self._roles.are_closed:
            return
        stopping = self._stop_polling()
        if not await within(stopping, self._host.grace if grace is None else grace):
            for run in self._runs:
                run.abort.abort("the worker shuts down", kind="shutdown")
            await within(self._stop_polling(), LAST_WORD)
        await self._close()

    def running(self) -> Sequence[Claim]:
        return [run.claim for run in self._runs if not run.ended]

    def go_by(self, settings: TemporalRunnerSettings, fallback: str | None) -> None:
        """Take over what can change while it works: the breaker and the fallback."""
        self._lifeline.go_by(settings, fallback)
        self._relay.fall_back_to(fallback)

    def resize(self, concurrency: int) -> None:
        if self._settings.tuner.targets is not None:
            logs.concurrency_unused(concurrency)
        self._places.resize(concurrency)

    async def wait_closed(self) -> None:
        await self._roles.wait_closed()

    async def _stop_polling(self) -> None:
        """Take no more jobs, once, whoever asks first; returns when those in hand have ended."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._end_polling())
        await asyncio.shield(self._stopping)

    async def _end_polling(self) -> None:
        logs.worker_stopping(self.worker_id, len(self._runs))
        for role in ("relay", "reconciler", "timekeeper", "admitter"):
            await self._roles.end(role)
        await self._pollers.shut_down()

    async def _close(self) -> None:
        if self._roles.are_closed:
            return
        await self._roles.close()
        await within(self._link.close(), LAST_WORD)
        logs.worker_stopped(self.worker_id)
