"""What a worker writes for a job that it holds: the `LeasedWrites` part of the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from jobcore.errors import InputError, StaleClaimError
from jobcore.limits import bounded_text
from jobcore.models import Lease
from jobcore.ports.store import LeasedWrites
from jobcore_postgres import wire
from jobcore_postgres.database import Connection, Database
from jobcore_postgres.queries import Parameters, rows_of, value_of

MAX_MESSAGE_CHARS = 1_000


class PostgresLeasedWrites(LeasedWrites):
    """Every write carries the lease's token, and PostgreSQL compares it in the statement that writes."""

    database: Database

    async def claim(self, leases: Sequence[Lease], *, worker_id: UUID) -> Sequence[bool]:
        if not leases:
            return []
        encoded = wire.leases(leases)
        rows = await self._rows("job_claim", (encoded, worker_id))
        return [row["granted"] for row in rows]

    async def write_progress(self, lease: Lease, percent: float, message: str | None) -> None:
        """See the port. Raises `InputError` if `percent` is outside 0 to 100."""
        if not 0 <= percent <= 100:
            raise InputError(f"Progress is from 0 to 100 percent, not {percent!r}.")
        text = None if message is None else bounded_text(message, MAX_MESSAGE_CHARS)
        if not await self._value("job_progress", (lease.tenant, lease.job_id, lease.token, percent, text)):
            raise _lost(lease)

    async def write_detail(
        self,
        lease: Lease,
        step_name: str,
        status: str,
        result: bytes | None,
        metadata: Mapping[str, Any] | None,
    ) -> UUID:
        detail = (
            lease.tenant,
            lease.job_id,
            lease.token,
            wire.plain_text(step_name, "The step's name"),
            wire.plain_text(status, "The detail's status"),
            None if result is None else wire.stored_json(result, "The result").decode(),
            None if metadata is None else wire.json_text(dict(metadata), "The metadata"),
        )
        written = await self._value("job_detail", detail)
        if written is None:
            raise _lost(lease)
        return written

    async def load_steps(self, lease: Lease) -> Mapping[str, bytes]:
        async def work(connection: Connection) -> list[dict[str, Any]]:
            if not await value_of(connection, "job_lease_held", (lease.tenant, lease.job_id, lease.token)):
                raise _lost(lease)
            return await rows_of(connection, "job_steps", (lease.tenant, lease.job_id))

        return {row["key"]: row["result"].encode() for row in await self.database.repeatable(work)}

    async def save_step(self, lease: Lease, key: str, result: bytes) -> bytes:
        stored = wire.stored_json(result, f"The result of step {key!r}").decode()
        step = (lease.tenant, lease.job_id, lease.token, wire.plain_text(key, "The step's key"), stored)
        saved = await self._value("job_step_save", step)
        if saved is None:
            raise _lost(lease)
        return saved.encode()

    async def _value(self, name: str, parameters: Parameters) -> Any:
        return await self.database.repeatable(lambda connection: value_of(connection, name, parameters))

    async def _rows(self, name: str, parameters: Parameters) -> list[dict[str, Any]]:
        return await self.database.repeatable(lambda connection: rows_of(connection, name, parameters))


def _lost(lease: Lease) -> StaleClaimError:
    return StaleClaimError(
        f"Attempt {lease.attempt} of job {lease.job_id} no longer holds the job: it was cancelled, taken over, or has "
        "ended. Nothing was written."
    )
