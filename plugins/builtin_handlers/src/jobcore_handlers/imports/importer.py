"""From rows to assets, a batch of rows a transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from psycopg.types.json import Jsonb

from jobcore import JobContext
from jobcore_handlers.imports.duplicates import Duplicate, NewAsset, look_up
from jobcore_handlers.imports.fields import asset_of
from jobcore_handlers.imports.mapping import ColumnMapping
from jobcore_handlers.imports.run import ImportRun
from jobcore_handlers.imports.table import Row
from jobcore_handlers.statements import Statements, Values

ROWS_AT_ONCE = 100
"""After so many rows the import's counts are written, with the rows themselves."""


class Importer:
    """Imports rows in the order of their numbers. What was imported up to a row is known by the import's `last_row`, in
    the transaction of the rows: a run that is killed leaves all of a batch or none, and the next goes on after it.
    """

    def __init__(
        self,
        ctx: JobContext,
        run: ImportRun,
        mapping: ColumnMapping,
        *,
        client: UUID,
        source: UUID,
        user: UUID,
        likeness: float,
    ) -> None:
        self._ctx = ctx
        self._run = run
        self._mapping = mapping
        self._import_job: UUID = run.key["import_job"]
        self._shared = {**run.key, "client": client, "source": source, "user": user}
        self._likeness = likeness

    async def import_rows(self, rows: Sequence[Row]) -> int:
        """Import the rows that are not imported yet; return how many of the whole file are.

        Raises:
            ImportTakenOverError: if another run goes on with the import; none of `rows` was imported.
            ImportCancelledError: likewise, if somebody cancelled it.
        """
        async with self._ctx.db.transaction() as connection:
            statements = Statements("imports", connection)
            job = await self._run.still_ours(statements)
            await statements.run("lock_assets", tenant=self._ctx.tenant_id)
            new = [row for row in rows if row.number > job.last_row]
            if new:
                counts = await self._import(statements, new)
                await statements.run("count_rows", **self._run.key, **counts, last_row=new[-1].number)
        return job.processed_rows + len(new)

    async def _import(self, statements: Statements, rows: Sequence[Row]) -> dict[str, int]:
        read = [(row, self._read(row)) for row in rows]
        wanted = [new for _, new in read if isinstance(new, NewAsset)]
        lookup = await look_up(statements, self._ctx.tenant_id, wanted, self._likeness)
        created: list[Values] = []
        others: list[Values] = []
        for row, new in read:
            if not isinstance(new, NewAsset):
                others.append(self._item(row, "error", errors=new))
            elif duplicate := lookup.find(new):
                others.append(self._item(row, "duplicate", duplicate=duplicate))
            else:
                lookup.add(new)
                created.append(self._created(row, new))
        await statements.run_each("create_asset", created)
        await statements.run_each("record_item", others)
        return _counted(created, others)

    def _read(self, row: Row) -> NewAsset | Sequence[str]:
        """Return what the row may become, or what is wrong with it."""
        asset = asset_of(self._mapping.values(row.cells))
        if isinstance(asset, list):
            return asset
        fallback = f"{self._import_job}-{row.number}"
        tag = asset.asset_tag or asset.serial_number or asset.external_id or fallback
        return NewAsset(row.number, uuid5(self._import_job, f"row/{row.number}"), asset, tag)

    def _created(self, row: Row, new: NewAsset) -> Values:
        asset = new.asset
        return {
            **self._shared,
            "row": row.number,
            "asset": new.asset_id,
            "name": asset.name,
            "asset_type": asset.asset_type,
            "asset_tag": new.asset_tag,
            "serial_number": asset.serial_number,
            "mac_address": asset.mac_address,
            "ip_address": asset.ip_address,
            "purchase_date": asset.purchase_date,
            "warranty_end_date": asset.warranty_end_date,
            "external_id": asset.external_id or new.asset_tag,
            "sha256": self._mapping.digest(row.cells),
            "source_data": Jsonb(self._mapping.source(row.cells)),
        }

    def _item(self, row: Row, status: str, *, duplicate: Duplicate | None = None, errors: Sequence[str] = ()) -> Values:
        return {
            **self._run.key,
            "row": row.number,
            "status": status,
            "asset": duplicate and duplicate.asset_id,
            "matched_by": duplicate and duplicate.matched_by,
            "likeness": duplicate and duplicate.likeness,
            "errors": list(errors),
            "source_data": Jsonb(self._mapping.source(row.cells)),
        }


def _counted(created: Sequence[Values], others: Sequence[Values]) -> dict[str, Any]:
    counts = Counter(item["status"] for item in others)
    return {
        "processed": len(created) + len(others),
        "created": len(created),
        "duplicate": counts["duplicate"],
        "error": counts["error"],
    }
