"""Hands jobs from the outbox to Temporal, or to the fallback while Temporal is away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby, islice

from temporalio.client import Client

from jobcore.errors import EngineUnavailableError
from jobcore_postgres.outbox import Handover, Outbox
from jobcore_temporal import logs
from jobcore_temporal.availability import TROUBLE, is_away, is_passing
from jobcore_temporal.connection import Connection
from jobcore_temporal.lifeline import Lifeline
from jobcore_temporal.settings import TemporalRunnerSettings
from jobcore_temporal.starting import start_run

SHORTEST_WAIT = 0.005
"""Seconds between two looks at an outbox whose next job is just becoming due."""


class Relay:
    """Takes what is due and starts its workflows together. Any worker's may: an entry is one's for some seconds, and a
    workflow that was started already counts as started."""

    def __init__(
        self,
        outbox: Outbox,
        connection: Connection,
        lifeline: Lifeline,
        settings: TemporalRunnerSettings,
        fallback: str | None,
    ) -> None:
        self._outbox = outbox
        self._connection = connection
        self._lifeline = lifeline
        self._settings = settings
        self._fallback = fallback
        self._hint = asyncio.Event()
        self._hint.set()

    def fall_back_to(self, fallback: str | None) -> None:
        """Move jobs there while Temporal is away, from now on; `None`: let them wait."""
        self._fallback = fallback
        self.hint()

    def hint(self) -> None:
        """Something may be due."""
        self._hint.set()

    async def turn(self) -> None:
        """Wait until something is due; hand it over."""
        await self._wait()
        self._hint.clear()
        while jobs := await self._take():
            await (self._fall_back(jobs) if self._lifeline.is_cut else self._hand_over(jobs))

    async def _wait(self) -> None:
        next_in = None if self._rests else await self._outbox.seconds_to_next()
        poll = self._settings.poll_interval_seconds
        try:
            async with asyncio.timeout(poll if next_in is None else min(poll, max(SHORTEST_WAIT, next_in))):
                await self._hint.wait()
        except TimeoutError:
            return

    @property
    def _rests(self) -> bool:
        """Whether nobody takes what is due, so that it would be found due again and again."""
        return self._lifeline.is_cut and self._fallback is None

    async def _take(self) -> Sequence[Handover]:
        if self._rests:
            return []
        return await self._outbox.take(self._settings.relay_batch, self._settings.relay_lease_seconds)

    async def _hand_over(self, jobs: Sequence[Handover]) -> None:
        try:
            client = await self._connection.client()
        except EngineUnavailableError as error:
            self._lifeline.failed(error)
            await self._postpone(jobs, error)
            return
        errors = await self._start_all(client, jobs)
        accepted = [job.entry for job, error in zip(jobs, errors, strict=True) if error is None]
        if accepted:
            await self._outbox.handed(accepted, self._settings.reconcile_interval_seconds)
        for job, error in zip(jobs, errors, strict=True):
            if error is not None and not is_passing(error):
                await self._refused(job, error)
        late = [
            (job, error) for job, error in zip(jobs, errors, strict=True) if error is not None and is_passing(error)
        ]
        if late:
            await self._postpone([job for job, _ in late], late[0][1])

    async def _start_all(self, client: Client, jobs: Sequence[Handover]) -> list[Exception | None]:
        """Start workflows, so many of one priority at a time; once the server is away, no more are tried."""
        errors: list[Exception | None] = []
        for some in _in_turn(jobs, self._settings.relay_concurrency):
            if self._lifeline.is_cut:
                errors += [EngineUnavailableError("Temporal is away.")] * len(some)
            else:
                answers = await asyncio.gather(*(self._start(client, job) for job in some))
                away = [error for error in answers if error is not None and is_away(error)]
                if len(away) == len(answers):
                    self._lifeline.failed(away[0])
                else:
                    self._lifeline.succeeded()
                errors += answers
        return errors

    async def _start(self, client: Client, job: Handover) -> Exception | None:
        try:
            async with asyncio.timeout(self._settings.rpc_timeout_seconds):
                await start_run(client, job, self._settings, self._connection.patience)
        except TROUBLE as error:
            return error
        return None

    async def _refused(self, job: Handover, error: BaseException) -> None:
        """Temporal will never take this job: it fails."""
        logs.handover_refused(job.entry.job_id, job.name, error)
        described = {"type": "HandoverRefusedError", "message": f"Temporal refuses the job: {error}"}
        await self._outbox.fail(job.entry, described)

    async def _postpone(self, jobs: Sequence[Handover], error: BaseException) -> None:
        logs.handover_postponed(len(jobs), error)
        entries = [job.entry for job in jobs]
        await self._outbox.postpone(entries, self._settings.relay_retry_seconds, str(error) or type(error).__name__)

    async def _fall_back(self, jobs: Sequence[Handover]) -> None:
        """Move jobs to the fallback. One whose start got no answer may have begun: its claim finds the epoch raised."""
        if self._fallback is None:
            return
        note = {"fallback_from": self._outbox.runner_type, "fallback_at": datetime.now(UTC).isoformat()}
        moved = await self._outbox.move([job.entry for job in jobs], self._fallback, note)
        if moved:
            logs.jobs_moved(moved, self._fallback)


def _in_turn(jobs: Sequence[Handover], width: int) -> Iterator[Sequence[Handover]]:
    """Yield jobs of one priority, as many at a time, the most important first, as they come."""
    for _, equals in groupby(jobs, key=lambda job: job.priority):
        yield from _batched(equals, width)


def _batched(jobs: Iterable[Handover], width: int) -> Iterator[Sequence[Handover]]:
    rest = iter(jobs)
    while some := list(islice(rest, width)):
        yield some
