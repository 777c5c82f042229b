"""What the workers of an instance know of their queues, looked up once a minute as in Node."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobcore_pgboss.boss.desk import Desk
from jobcore_pgboss.boss.errors import QueueNotFoundError
from jobcore_pgboss.boss.queue_verbs import QueueVerbs

REFRESH = 60.0
"""Seconds: pg-boss's default."""


@dataclass(frozen=True, slots=True)
class _Entry:
    row: Mapping[str, Any]
    looked_up_at: float


class QueueCache:
    """Rows of `pgboss.queue`."""

    def __init__(self, desk: Desk) -> None:
        self._verbs = QueueVerbs(desk)
        self._entries: dict[str, _Entry] = {}

    async def row(self, name: str) -> Mapping[str, Any]:
        """Return a queue's row, at most a minute old. Raises `QueueNotFoundError`, `StorageUnavailableError`."""
        now = asyncio.get_running_loop().time()
        entry = self._entries.get(name)
        if entry is None or now - entry.looked_up_at >= REFRESH:
            if (row := await self._verbs.get_queue(name)) is None:
                raise QueueNotFoundError(name)
            entry = self._entries[name] = _Entry(row, now)
        return entry.row
