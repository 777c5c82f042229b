"""What payloads look like, in memory (the `PayloadRecords` part of the store)."""

from __future__ import annotations

from collections.abc import Sequence

from jobcore.memory.tables import Tables
from jobcore.models import PayloadSchema, WaitingPayload
from jobcore.ports.store import PayloadRecords
from jobcore.states import JobState

WAITING = (JobState.PENDING, JobState.QUEUED)


class MemoryPayloadRecords(PayloadRecords):
    """Schemas by handler and version, and the waiting jobs' payloads."""

    tables: Tables

    async def put_payload_schemas(self, schemas: Sequence[PayloadSchema]) -> None:
        self.tables.payload_schemas |= {(schema.handler, schema.version): schema for schema in schemas}

    async def payload_schemas(self, handlers: Sequence[str]) -> Sequence[PayloadSchema]:
        return [schema for (handler, _), schema in sorted(self.tables.payload_schemas.items()) if handler in handlers]

    async def waiting_payloads(
        self, handlers: Sequence[str], *, after: WaitingPayload | None = None, limit: int = 500
    ) -> Sequence[WaitingPayload]:
        waiting = sorted(
            (row for row in self.tables.committed() if row.status in WAITING and row.plan.name in handlers),
            key=lambda row: row.key,
        )
        page = [row for row in waiting if after is None or row.key > (after.tenant, after.job_id)][:limit]
        return [WaitingPayload(*row.key, row.plan.name, row.plan.payload) for row in page]
