"""Learns which of the running jobs are to be cancelled, and which were taken away."""

from __future__ import annotations

import asyncio
from uuid import UUID

from jobcore_postgres.outbox import Outbox
from jobcore_temporal.runs import Runs


class Keeper:
    """Compares the runs with their rows every half second, and at once when a cancellation is told.

    Temporal's own heartbeats bring a cancellation too, up to a second later and without its reason.
    """

    def __init__(self, outbox: Outbox, runs: Runs, seconds: float) -> None:
        self._outbox = outbox
        self._runs = runs
        self._seconds = seconds
        self._told = asyncio.Event()

    def cancel_told(self, job_id: str) -> None:
        """Some job's cancellation was asked for; if it is ours, look now."""
        try:
            wanted = UUID(job_id)
        except ValueError:
            return
        if self._runs.of_job(wanted):
            self._told.set()

    async def turn(self) -> None:
        """Wait half a second, or until a cancellation is told, and look."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._told.wait()
        except TimeoutError:
            pass
        self._told.clear()
        runs = [run for run in self._runs if not run.ended]
        if not runs:
            return
        answers = await self._outbox.look_at([(run.claim.lease, run.entry.epoch) for run in runs])
        for run, (held, stop) in zip(runs, answers, strict=True):
            if not held:
                run.lose("it has ended, or another run has it")
            elif stop is not None:
                run.cancel(stop)
