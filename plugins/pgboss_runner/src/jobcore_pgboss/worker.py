"""The worker: which roles there are, and in which order they begin and end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

from jobcore.models import Claim, Outcome, Settlement
from jobcore.ports.runner import ClaimSession, Worker, WorkerHost
from jobcore_pgboss import logs
from jobcore_pgboss.duties import Duties
from jobcore_pgboss.fetcher import Fetcher
from jobcore_pgboss.heartbeat import EXTENSIONS, Heartbeat
from jobcore_pgboss.identity import RUNNER_TYPE, WORK_CHANNEL
from jobcore_pgboss.queues import Queues
from jobcore_pgboss.rescuer import Rescuer
from jobcore_pgboss.runs import Run, Runs
from jobcore_pgboss.schema import attach
from jobcore_pgboss.session import Session
from jobcore_pgboss.settings import PgBossSettings, listening_of
from jobcore_pgboss.settler import Settler
from jobcore_pgboss.slots import Slots
from jobcore_pgboss.status import StatusWriter
from jobcore_postgres.admitter import CHANNEL as ADMISSION_CHANNEL
from jobcore_postgres.admitter import Admitter
from jobcore_postgres.background.endings import within
from jobcore_postgres.background.link import Connection, Link
from jobcore_postgres.background.listener import CANCEL_CHANNEL, RELOAD_CHANNEL, Listener
from jobcore_postgres.background.lookout import Lookout
from jobcore_postgres.background.roles import Roles
from jobcore_postgres.background.timekeeper import Timekeeper
from jobcore_postgres.store import PostgresStore

LONGEST_WAIT = 1.0
"""Seconds that a claim may wait for a slot here before other workers get it."""
LAST_WORD = 5.0
"""Seconds that aborted handlers get to end, and that the database gets to take the last writes, when a worker stops."""


class PgBossWorker(Worker):
    """Serves queues of pg-boss with connections of its own: one to fetch, one to write, one to listen, one to keep the
    leases, one to rescue. It lives through the database's absences."""

    def __init__(self, store: PostgresStore, settings: PgBossSettings, queues: Queues, host: WorkerHost) -> None:
        self.worker_id = uuid4()
        self._store = store
        self._settings = settings
        self._queues = queues
        self._host = host
        self._fetching, self._writing, self._keeping = (
            Link(store.database, f"worker {role}") for role in ("fetcher", "settler", "keeper")
        )
        self._beating = Link(store.database, "worker heartbeat", patience=settings.lease_seconds / EXTENSIONS)
        self._listening = Link(listening_of(settings).database(store.database), "worker listener")
        self._runs = Runs()
        self._roles = Roles()
        self._stopping: asyncio.Task[None] | None = None
        self._hire(settings, host)

    def _hire(self, settings: PgBossSettings, host: WorkerHost) -> None:
        """Make the roles, and tell each whom it speaks to."""
        served = sorted(host.queues)
        self._settler = Settler(self._writing, self._runs, host.observe, self._wrote)
        self._status = StatusWriter(self.worker_id, settings.status_delay_seconds, self._settler.wake)
        self._settler.watch(self._status)
        self._slots = Slots(settings, host, self._open_session, self._status.started, self._settler)
        self._fetcher = Fetcher(self._fetching, settings, host, self._runs, self._slots)
        self._heartbeat = Heartbeat(self._beating, settings, self._runs)
        self._admitter = Admitter(self._store)
        self._listener = Listener(
            self._listening,
            listening_of(settings),
            {
                WORK_CHANNEL: self._fetcher.hint_queue,
                CANCEL_CHANNEL: self._heartbeat.cancel_told,
                ADMISSION_CHANNEL: lambda _: self._admitter.hint(),
                RELOAD_CHANNEL: lambda _: host.look_around(),
            },
            self._admitter.hint,
            self._fetcher.hint,
        )
        self._rescuer = Rescuer(self._keeping, settings.rescue_interval_seconds, served, host.observe)
        self._timekeeper = Timekeeper(self._store, host)
        self._lookout = Lookout(self._store.database, RUNNER_TYPE, self._roles.wait_for_trouble, host.observe)
        self._duties = Duties(self._store.database, settings.supervision, self.worker_id, host)

    async def start(self) -> None:
        await self._connect()
        self._roles.watch("slots", *self._slots.works())
        self._roles.begin("settler", self._settler.turn)
        self._roles.begin("heartbeat", self._heartbeat.turn)
        self._roles.begin("listener", self._listener.turn)
        self._roles.begin("rescuer", self._rescuer.turn)
        self._roles.begin("timekeeper", self._timekeeper.turn)
        self._roles.begin("admitter", self._admitter.turn)
        self._roles.begin("fetcher", self._fetcher.turn)
        self._roles.begin("returner", self._return_waiting)
        self._roles.begin("lookout", self._lookout.turn)
        self._duties.begin(self._roles)
        logs.worker_started(self.worker_id, len(self._host.queues), self._host.concurrency)

    async def drain(self) -> None:
        await self._stop_claiming()
        grace = self._host.grace
        gone = asyncio.create_task(self._roles.without_database(grace.total_seconds(), "heartbeat", "settler"))
        await self._roles.unless_closed(self._wait_for_ends(), gone)
        if gone.done():
            logs.drain_given_up(grace)
            await self.stop(timedelta())
        await self._close()

    async def stop(self, grace: timedelta | None = None) -> None:
        if self._roles.are_closed:
            return
        await self._stop_claiming()
        if not await within(self._slots.wait_quiet(), self._host.grace if grace is None else grace):
            self._abort_all()
            await within(self._slots.wait_quiet(), LAST_WORD)
        await self._roles.end("slots")
        self._hand_back([run for run in self._runs if not run.ended])
        await within(self._settler.wait_empty(), LAST_WORD)
        await self._close()

    def running(self) -> Sequence[Claim]:
        return [run.claim for run in self._runs.running()]

    def resize(self, concurrency: int) -> None:
        self._slots.resize(concurrency)
        self._roles.watch("slots", *self._slots.works())

    async def wait_closed(self) -> None:
        await self._roles.wait_closed()

    async def _return_waiting(self) -> None:
        """Hand back what was fetched ahead, and waits because the handlers before it have become slow."""
        await asyncio.sleep(LONGEST_WAIT / 2)
        self._hand_back(self._slots.take_back(LONGEST_WAIT))

    async def _connect(self) -> None:
        """Reach the database once, so that a wrong address or schema is an error at the start and not a log line."""
        await self._store.database.repeatable(self._attach)
        await listening_of(self._settings).check(self._listening, self._store.database)

    async def _attach(self, connection: Connection) -> None:
        await attach(connection)
        await self._queues.serve(connection, self._host.queues)

    async def _wait_for_ends(self) -> None:
        """Wait until all jobs in hand have ended, and their ends are written."""
        await self._slots.wait_quiet()
        await self._settler.wait_empty()

    async def _stop_claiming(self) -> None:
        """Take no more jobs, once, whoever asks first. The leases of those in hand are kept."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._end_claiming())
        await asyncio.shield(self._stopping)

    async def _end_claiming(self) -> None:
        """End the roles that find work, and hand back what was claimed and not begun."""
        logs.worker_stopping(self.worker_id, len(self._runs.running()))
        await within(self._fetcher.pause(), LAST_WORD)
        for role in ("fetcher", "returner", "rescuer", "timekeeper", "admitter"):
            await self._roles.end(role)
        await self._duties.end(self._roles)
        self._hand_back(self._slots.take_back())

    def _abort_all(self) -> None:
        for run in self._runs.running():
            run.abort.abort("the worker shuts down", kind="shutdown")

    def _hand_back(self, runs: Sequence[Run]) -> None:
        """Let other workers have these jobs; it costs no attempt."""
        for run in runs:
            self._settler.put(run, Settlement(claim=run.claim, outcome=Outcome.RELEASED))

    async def _close(self) -> None:
        if self._roles.are_closed:
            return
        await self._roles.close()
        await within(self._duties.close(), LAST_WORD)
        for link in (self._fetching, self._writing, self._beating, self._keeping, self._listening):
            await within(link.close(), LAST_WORD)
        logs.ends_unwritten([run.claim.job_id for run in self._runs])
        logs.worker_stopped(self.worker_id)

    def _open_session(self, run: Run) -> ClaimSession:
        return Session(run, self._store, self._status, self._heartbeat, self._host.submit)

    def _wrote(self) -> None:
        """Ends were written: there may be room again."""
        self._slots.wake()
