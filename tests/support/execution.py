"""One engine in a dictionary: what an executor needs to run claims, and what a test reads afterwards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from jobcore.errors import StaleClaimError
from jobcore.execution import Abort, Executor
from jobcore.handlers import JobHandlerRegistry
from jobcore.ids import uuid7
from jobcore.models import Claim, Enqueued, Lease, NewJob, Settlement

TENANT = UUID("11111111-1111-4111-8111-111111111111")


async def until(condition: Callable[[], Any], *, seconds: float = 5) -> None:
    """Wait until `condition` holds. Raises `TimeoutError`."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - any condition, also of other processes
            await asyncio.sleep(0.005)


class Connection:
    """A database connection with transactions, one level deep, over a list of rows."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows
        self._pending: list[Any] | None = None
        self.fail_commit = False

    @property
    def in_transaction(self) -> bool:
        return self._pending is not None

    def write(self, row: Any) -> None:
        assert self._pending is not None
        self._pending.append(row)

    @asynccontextmanager
    async def transaction(self):
        self._pending = []
        try:
            yield self
            if self.fail_commit:
                raise ConnectionError("the connection broke at COMMIT")
            self._rows.extend(self._pending)
        finally:
            self._pending = None


class Database:
    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows

    def connection(self) -> Connection:
        return Connection(self.rows)

    @asynccontextmanager
    async def transaction(self):
        async with Connection(self.rows).transaction() as connection:
            yield connection


class Session:
    """A job's session across its attempts (the `ClaimSession` port). `lose()` makes every later write stale."""

    def __init__(self) -> None:
        self.progress_rows: list[tuple[float, str | None]] = []
        self.details: dict[str, tuple[str, Any]] = {}
        self.steps: dict[str, bytes] = {}
        self.heartbeats = 0
        self.step_loads = 0
        self.committed: list[Any] = []
        self.database: Any = Database(self.committed)
        self._lost = False

    def lose(self) -> None:
        self._lost = True

    @property
    def settlements(self) -> list[Settlement]:
        return [row for row in self.committed if isinstance(row, Settlement)]

    async def progress(self, percent: float, message: str | None) -> None:
        self._check()
        self.progress_rows.append((percent, message))

    async def heartbeat(self) -> None:
        self._check()
        self.heartbeats += 1

    async def write_detail(
        self, step_name: str, status: str, result: bytes | None, metadata: Mapping[str, Any] | None
    ) -> UUID:
        self._check()
        self.details[step_name] = (status, None if result is None else json.loads(result))
        return uuid4()

    async def load_steps(self) -> Mapping[str, bytes]:
        self._check()
        self.step_loads += 1
        return dict(self.steps)

    async def save_step(self, key: str, result: bytes) -> bytes:
        self._check()
        return self.steps.setdefault(key, result)

    async def settle_in(self, connection: Any, settlement: Settlement) -> None:
        self._check()
        connection.write(settlement)

    async def enqueue_in(self, connection: Any, jobs: Sequence[NewJob]) -> Sequence[Enqueued]:
        for job in jobs:
            connection.write(job)
        return [Enqueued(job.job_id) for job in jobs]

    def _check(self) -> None:
        if self._lost:
            raise StaleClaimError("another worker has the job")


def make_claim(
    name: str, payload: Mapping[str, Any] | bytes = b"{}", *, attempt: int = 1, max_attempts: int = 3, **fields: Any
) -> Claim:
    return Claim(
        lease=Lease(fields.pop("job_id", None) or uuid7(), TENANT, attempt, uuid4().hex),
        name=name,
        queue=name,
        payload=payload if isinstance(payload, bytes) else json.dumps(payload).encode(),
        max_attempts=max_attempts,
        created_at=datetime.now(UTC),
        runner_type="memory",
        **fields,
    )


class Bench:
    """An executor with the handlers of one test."""

    def __init__(self, *handlers: Any, **options: Any) -> None:
        self.registry = JobHandlerRegistry()
        for handler in handlers:
            self.registry.register(handler)
        options.setdefault("cleanup_grace", timedelta(seconds=5))
        self.executor = Executor(self.registry, **options)
        self.session = Session()

    async def run(
        self,
        handler: Any,
        payload: Any = b"{}",
        *,
        abort: Abort | None = None,
        session: Session | None = None,
        **fields: Any,
    ) -> Settlement:
        name = handler if isinstance(handler, str) else handler.name
        claim = make_claim(name, payload, **fields)
        return await self.executor.execute(claim, session or self.session, abort or Abort())

    async def __aenter__(self) -> Bench:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.executor.close()
