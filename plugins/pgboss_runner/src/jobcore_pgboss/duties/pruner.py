"""Deletes what queues keep too long."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from jobcore_pgboss import logs
from jobcore_pgboss.duties.desk import Desk

BATCH = 500
"""Keys that one transaction walks over, so that nobody waits for it."""
COUNTED_BEFORE = timedelta(seconds=10)
"""Ends stamped within this time may be committed later; pg-boss counts them afterwards."""


class Pruner:
    """Takes queues whose maintenance is due one after the other, and walks through each in small batches."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def prune_due(self, queues: list[str] | None = None) -> None:
        """Prune these queues, or all, as far as they are due. Raises `psycopg.Error`."""
        pruned = False
        while taken := await self._desk.rows("prune_due", queues, self._desk.settings.maintenance_interval_seconds):
            ((queue, claimed_on),) = taken
            await self._prune(queue, claimed_on)
            pruned = True
        if pruned:
            await self._forget_notes()

    async def _prune(self, queue: str, claimed_on: datetime) -> None:
        """Walk through one queue; hand it back if the walk is cut short."""
        done = False
        try:
            await self._delete_rows(queue, claimed_on - COUNTED_BEFORE)
            await self._delete_dependencies(queue)
            done = True
        finally:
            if not done:
                await self._desk.rows("prune_release", queue, claimed_on)

    async def _delete_rows(self, queue: str, retained_before: datetime) -> None:
        deleted = retained = 0
        walked_to: UUID | None = None
        while batch := await self._batch(queue, walked_to, retained_before):
            walked_to, gone, kept = batch
            deleted, retained = deleted + gone, retained + kept
            if walked_to is None:
                break
        if (await self._desk.features()).counts_retained:
            await self._desk.rows("prune_counted", queue, retained, retained_before)
        if deleted:
            logs.queue_pruned(queue, deleted)

    async def _batch(self, queue: str, after: UUID | None, retained_before: datetime) -> tuple[Any, ...] | None:
        """Prune one batch; none if the queue is gone."""
        rows = await self._desk.rows("prune_batch", queue, after, BATCH, retained_before)
        return rows[0] if rows else None

    async def _delete_dependencies(self, queue: str) -> None:
        while await self._desk.value("prune_dependencies", queue, BATCH) == BATCH:
            pass

    async def _forget_notes(self) -> None:
        """Delete old warnings, and instances that are long gone."""
        settings = self._desk.settings
        if settings.persist_warnings:
            await self._desk.rows("prune_warnings", settings.warning_retention_days)
        if (await self._desk.features()).has_instances:
            await self._desk.rows("prune_instances")
