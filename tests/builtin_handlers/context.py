"""One attempt of a job on a real database, without a runner around it.

Completion is a row of the table `completions`, written in the handler's own transaction as a runner would, so that a
test sees whether the job's work and its completion committed together.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid5

import psycopg
from psycopg.types.json import Jsonb

from jobcore import JobContext
from jobcore.errors import JobCancelledError, StaleClaimError
from jobcore.ids import uuid7


class Signal:
    aborted = False
    reason = None
    aborted_by = None

    async def wait(self) -> None:
        await asyncio.Event().wait()

    def wait_blocking(self, timeout: float | None = None) -> bool:
        return self.aborted

    def raise_if_aborted(self) -> None:
        if self.aborted:
            raise JobCancelledError("aborted by the test")


class Services:
    def __init__(self) -> None:
        self._by_type: dict[type, Any] = {}

    def add(self, service: Any, kind: type) -> None:
        self._by_type[kind] = service

    def get(self, kind: type) -> Any:
        return self._by_type[kind]

    def __contains__(self, kind: object) -> bool:
        return kind in self._by_type


class TenantTransactions:
    def __init__(self, dsn: str, tenant: UUID) -> None:
        self._dsn = dsn
        self._tenant = tenant

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        async with await psycopg.AsyncConnection.connect(self._dsn) as connection, connection.transaction():
            await connection.execute("set local role jobcore_tenant")
            await connection.execute("select set_config('jobcore.tenant', %s, true)", (str(self._tenant),))
            yield connection


class AttemptContext(JobContext):
    """A context whose details and completion can be read back; `stale=True` makes completing fail."""

    def __init__(self, dsn: str, tenant: UUID, *, job_id: UUID | None = None, stale: bool = False) -> None:
        self._dsn = dsn
        self.job_id = job_id or uuid7()
        self.job_name = "test"
        self.tenant_id = tenant
        self.data = None
        self.attempt = 1
        self.max_attempts = 3
        self.logger = logging.LoggerAdapter(logging.getLogger("jobcore.test"), {})
        self.signal = Signal()
        self.services = Services()
        self.stale = stale
        self.details: dict[str, list[tuple[str, Any]]] = {}
        self.progress_reports: list[float] = []
        with psycopg.connect(dsn) as connection:
            connection.execute("create table if not exists completions (job_id uuid primary key, result jsonb)")
            connection.execute("grant insert on completions to jobcore_tenant")

    def completion(self) -> Any:
        """The result with which the job was completed; `None` if it was not."""
        with psycopg.connect(self._dsn) as connection:
            row = connection.execute("select result from completions where job_id = %s", (self.job_id,)).fetchone()
        return None if row is None else row[0]

    @property
    def db(self) -> TenantTransactions:
        return TenantTransactions(self._dsn, self.tenant_id)

    @property
    def blocking(self) -> Any:
        raise NotImplementedError

    async def progress(self, percent: float, message: str | None = None) -> None:
        self.progress_reports.append(percent)

    async def heartbeat(self) -> None: ...

    async def detail(self, step_name: str, status: str, *, result: Any = None, metadata: Any = None) -> UUID:
        json.dumps([result, metadata])
        self.details.setdefault(step_name, []).append((status, result))
        return uuid5(self.job_id, step_name)

    async def step(self, name: str, fn: Any, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    async def once(self, key: str) -> bool:
        raise NotImplementedError

    @asynccontextmanager
    async def complete_in(self, connection: Any, *, result: Any = None) -> AsyncIterator[Any]:
        async with connection.transaction():
            yield connection
            if self.stale:
                raise StaleClaimError(f"Job {self.job_id} is no longer ours.")
            await connection.execute("insert into completions values (%s, %s)", (self.job_id, Jsonb(result)))

    async def enqueue(self, job: Any, data: Any, **options: Any) -> Any:
        raise NotImplementedError
