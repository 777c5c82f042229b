"""What the soak runs share: a server, an application, worker processes, and what the tables weigh."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg.rows import dict_row

from jobcore import JobApp
from jobcore.ids import SYSTEM_TENANT
from jobcore.settings import Settings
from jobcore_devkit.postgres import PostgresServer
from jobcore_postgres.migrations import migrate
from soak.working import Nothing, nothing, probe

TESTS = Path(__file__).parents[1]
BATCH = 1000
SERVER = {"shared_buffers": "512MB", "max_wal_size": "2GB", "autovacuum_naptime": "10s"}
"""A small production server. Autovacuum naps a sixth of the default, so that minutes show what hours would."""

WEIGHTS = """
select c.relname as "table", s.n_live_tup as live, s.n_dead_tup as dead, s.n_tup_upd as updated,
    s.n_tup_hot_upd as hot, s.autovacuum_count as vacuums,
    pg_table_size(c.oid) as table_bytes, pg_indexes_size(c.oid) as index_bytes
from pg_stat_user_tables s
join pg_class c on c.oid = s.relid
where s.schemaname in ('public', 'pgboss') and c.relname like 'job%' and c.relkind = 'r'
order by 1
"""


@dataclass(frozen=True)
class Line:
    """What a worker told, and when: seconds since the process began."""

    at: float
    done: int
    fetches: Sequence[float]
    pickups: Sequence[tuple[float, float]]
    """When each probe was sent, in seconds since 1970, and how many seconds later its handler began."""


class WorkerProcess:
    """`soak.working` in a process; its lines are read as they come."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.lines: list[Line] = []
        self._begin = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "soak.working"],
            env={**os.environ, **environment, "PYTHONPATH": str(TESTS)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def done(self) -> int:
        return self.lines[-1].done if self.lines else 0

    def _read(self) -> None:
        assert self._process.stdout is not None
        for text in self._process.stdout:
            line = json.loads(text)
            self.lines.append(Line(time.perf_counter() - self._begin, **line))

    def assert_alive(self) -> None:
        assert self._process.poll() is None, f"the worker ended with {self._process.returncode}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=60)  # its input ends, and with it the worker
        self._reader.join()


@contextmanager
def server() -> Iterator[str]:
    """Give the DSN of a migrated database on a server of this run's own."""
    with PostgresServer.temporary(settings=SERVER, durable=True) as running:
        migrate(running.dsn())
        yield running.dsn()


def environment_of(dsn: str) -> dict[str, str]:
    return {"DATABASE_URL": dsn, "JOBCORE_ENV": "development", "JOBCORE_LOG__FINISHED_JOBS": "false"}


@asynccontextmanager
async def application(dsn: str) -> AsyncGenerator[JobApp]:
    async with JobApp(Settings.load(env=environment_of(dsn)), handlers=[nothing, probe]) as app:
        yield app


async def enqueue(app: JobApp, count: int) -> None:
    """Make so many jobs, a thousand at a time."""
    for first in range(0, count, BATCH):
        batch = [Nothing(number=first + n) for n in range(min(BATCH, count - first))]
        await app.enqueue_many(nothing, batch, tenant=SYSTEM_TENANT)


def weigh(dsn: str) -> list[dict[str, Any]]:
    """Return the rows, live and dead, and the bytes of the tables of jobs and of the queue."""
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        return connection.execute(WEIGHTS).fetchall()


async def until_done(worker: WorkerProcess, count: int) -> None:
    """Wait until the worker has done so many jobs."""
    while worker.done < count:
        worker.assert_alive()
        await asyncio.sleep(0.1)


def percentile(values: Iterable[float], percent: float) -> float | None:
    """Return the percentile by the nearest rank; `None` of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(len(ordered) * percent / 100))] if ordered else None
