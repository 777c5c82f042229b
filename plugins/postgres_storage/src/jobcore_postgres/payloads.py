"""What payloads look like: the `PayloadRecords` part of the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

import orjson

from jobcore.models import PayloadSchema, WaitingPayload
from jobcore.ports.store import PayloadRecords
from jobcore_postgres.database import Database
from jobcore_postgres.queries import affected_by, rows_of

NIL = UUID(int=0)


class PostgresPayloadRecords(PayloadRecords):
    """One row a handler and version; the waiting jobs are read by their key, page by page."""

    database: Database

    async def put_payload_schemas(self, schemas: Sequence[PayloadSchema]) -> None:
        if schemas:
            rows = orjson.dumps([asdict(schema) for schema in schemas]).decode()
            await self.database.repeatable(lambda connection: affected_by(connection, "payload_schemas_put", (rows,)))

    async def payload_schemas(self, handlers: Sequence[str]) -> Sequence[PayloadSchema]:
        wanted = (list(handlers),)
        rows = await self.database.repeatable(lambda connection: rows_of(connection, "payload_schemas_read", wanted))
        return [PayloadSchema(**row) for row in rows]

    async def waiting_payloads(
        self, handlers: Sequence[str], *, after: WaitingPayload | None = None, limit: int = 500
    ) -> Sequence[WaitingPayload]:
        page = {
            "handlers": list(handlers),
            "tenant": NIL if after is None else after.tenant,
            "job_id": NIL if after is None else after.job_id,
            "limit": limit,
        }
        rows = await self.database.repeatable(lambda connection: rows_of(connection, "payloads_waiting", page))
        return [WaitingPayload(**row) for row in rows]
