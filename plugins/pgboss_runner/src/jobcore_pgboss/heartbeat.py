"""Keeps the leases of running jobs, and learns which were lost and which are to be cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

import orjson

from jobcore.errors import StaleClaimError
from jobcore_pgboss.runs import Run, Runs
from jobcore_pgboss.settings import PgBossSettings
from jobcore_pgboss.statements import statement
from jobcore_postgres.background.link import Link

EXTENSIONS = 3
"""How many times a lease is extended within its length."""


class Heartbeat:
    """Looks at the claims every half second, and at once when a cancellation is told; extends each lease in time."""

    def __init__(self, link: Link, settings: PgBossSettings, runs: Runs) -> None:
        self._link = link
        self._settings = settings
        self._runs = runs
        self._told = asyncio.Event()
        self._told_jobs: set[UUID] = set()

    def cancel_told(self, job_id: str) -> None:
        """Some job's cancellation was asked for; if it is ours, look at it now."""
        try:
            wanted = UUID(job_id)
        except ValueError:
            return
        if self._runs.has_job(wanted):
            self._told_jobs.add(wanted)
            self._told.set()

    async def turn(self) -> None:
        """Wait half a second, or until a cancellation is told, and look at the claims that have stood that long."""
        try:
            async with asyncio.timeout(self._settings.cancel_poll_seconds):
                await self._told.wait()
        except TimeoutError:
            pass
        self._told.clear()
        told, self._told_jobs = self._told_jobs, set()
        now = asyncio.get_running_loop().time()
        oldest = now - self._settings.cancel_poll_seconds
        await self._look(
            [run for run in self._runs if not run.ended and (run.fetched_at <= oldest or run.claim.job_id in told)],
            extend_before=now - self._settings.lease_seconds / EXTENSIONS,
        )

    async def extend(self, run: Run) -> None:
        """Extend one lease now. Raises `StaleClaimError`, `psycopg.Error`."""
        await self._look([run], extend_before=asyncio.get_running_loop().time())
        if run.lost is not None:
            raise StaleClaimError(f"Job {run.claim.job_id} is no longer this worker's: {run.lost}.")

    async def _look(self, runs: Sequence[Run], *, extend_before: float) -> None:
        if not runs:
            return
        now = asyncio.get_running_loop().time()
        extend = any(run.extended_at <= extend_before for run in runs)
        claims = orjson.dumps([run.reference for run in runs]).decode()
        answers = await self._link.rows(statement("heartbeat"), claims, extend)
        for run, (held, cancel_requested) in zip(runs, answers, strict=True):
            if not held:
                run.lose("its lease ran out, or it was taken away")
            elif extend:
                run.extended_at = now
            if cancel_requested is not None:
                run.cancel(cancel_requested)
