"""Counts the jobs of queues into pg-boss's cache, and warns of backlogs."""

from __future__ import annotations

from collections.abc import Sequence

from jobcore_pgboss.duties.desk import Desk


class Monitor:
    """Counts for all instances; rests when counting takes so long that it would keep vacuum from its work."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def count(self, queues: Sequence[str]) -> None:
        """Count these queues. Raises `psycopg.Error`."""
        counted = await self._desk.rows("monitor_count", list(queues))
        for queue, queued, warn_above, _ in counted:
            threshold = warn_above or self._desk.settings.warning_queue_size
            if queued > threshold:
                await self._warn_of_backlog(queue, queued, threshold)
        await self._rest(max((seconds for *_, seconds in counted), default=0.0))

    async def _warn_of_backlog(self, queue: str, queued: int, threshold: int) -> None:
        await self._desk.warn(
            "queue_backlog",
            f'Warning: large queue backlog: queue "{queue}" has {queued} jobs waiting, over its limit of {threshold}.',
            {"name": queue, "queuedCount": queued, "warningQueueSize": threshold},
        )

    async def _rest(self, seconds: float) -> None:
        for naptime, until in await self._desk.rows("monitor_rest", seconds):
            await self._desk.warn(
                "monitor_backoff",
                f"Warning: counting the queues took {seconds:.1f} s, against an autovacuum_naptime of {naptime:.0f} s: "
                "nobody counts again for a while. Keep fewer ended rows, or give busy queues tables of their own.",
                {"elapsedSeconds": seconds, "naptimeSeconds": naptime, "backoffUntil": until.isoformat()},
            )
