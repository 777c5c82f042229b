"""What all duties of a worker share: one connection, the settings, and what this schema can do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from psycopg.rows import TupleRow

from jobcore_pgboss import logs
from jobcore_pgboss.statements import statement
from jobcore_pgboss.supervision import SupervisionSettings
from jobcore_postgres.background.link import Link

SKEW = 60.0
"""Seconds by which a clock may differ from the database's before it is told: pg-boss's measure."""


@dataclass(frozen=True, slots=True)
class Features:
    """What came to pg-boss's schema after version 42, and may be missing."""

    has_instances: bool
    counts_retained: bool


class Desk:
    """Runs the duties' statements, and warns as pg-boss does: in the log, and in `pgboss.warning` if that is wanted."""

    def __init__(self, link: Link, settings: SupervisionSettings, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self._link = link
        self._clock = clock
        self._features: Features | None = None
        self._looking = asyncio.Lock()

    async def features(self) -> Features:
        """What this schema can do; looked up once. Raises `psycopg.Error`."""
        async with self._looking:
            if self._features is None:
                asked = self._clock()
                ((instances, retained, now),) = await self.rows("duties_possible")
                self._features = Features(instances, retained)
                await self._compare_clocks(now - (asked + self._clock()) / 2)
        return self._features

    async def rows(self, name: str, *arguments: Any) -> list[TupleRow]:
        """Run a statement of this package by its name. Raises `StorageUnavailableError`, `psycopg.Error`."""
        began = time.monotonic()
        rows = await self._link.rows(statement(name), *arguments)
        if (elapsed := time.monotonic() - began) > self.settings.slow_query_seconds and name != "warning_add":
            await self.warn(
                "slow_query", f"Warning: slow query. {name} took {elapsed:.0f} s.", {"elapsed": elapsed, "sql": name}
            )
        return rows

    async def value(self, name: str, *arguments: Any) -> Any:
        """Run a statement of one value, and return it. Raises `StorageUnavailableError`, `psycopg.Error`."""
        ((value,),) = await self.rows(name, *arguments)
        return value

    async def warn(self, kind: str, message: str, data: Mapping[str, Any]) -> None:
        """Tell of something that an operator should see. Raises `psycopg.Error`."""
        logs.supervision_warning(message)
        if self.settings.persist_warnings:
            await self.rows("warning_add", kind, message, json_of(data))

    async def close(self) -> None:
        await self._link.close()

    async def _compare_clocks(self, difference: float) -> None:
        if abs(difference) >= SKEW:
            await self.warn(
                "clock_skew",
                f"Warning: this machine's clock differs from the database's by {abs(difference):.0f} s. "
                "Only the database's counts.",
                {"seconds": abs(difference), "direction": "slower" if difference > 0 else "faster"},
            )


def json_of(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """JSON text, as the statements take it."""
    return orjson.dumps(value).decode()
