"""An import about to begin: its source, its file in the store, and its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from builtin_handlers.world import World
from jobcore_handlers.files import FileStore
from jobcore_handlers.imports.payload import AssetImport

MAPPING = {"name": "Name", "asset_type": "Type", "serial_number": "Serial", "asset_tag": "Tag", "mac_address": "MAC",
           "ip_address": "IP", "purchase_date": "Bought", "warranty_end_date": "Warranty"}  # fmt: skip
HEADER = ",".join(MAPPING.values())

Rows = list[dict[str, Any]]


def csv_of(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows]).encode()


def unlike(count: int) -> list[str]:
    """Rows of servers whose names have nothing to do with each other, each with a serial number of its own."""
    return [f"{uuid4()},server,S-{n}" for n in range(count)]


@dataclass
class Imports:
    """Imports of one tenant; reads past row-level security."""

    world: World
    store: FileStore
    source: UUID = field(default_factory=uuid4)

    def __post_init__(self) -> None:
        self.world.add("import_sources", import_source_id=self.source, name="inventory", field_mapping=Jsonb(MAPPING))

    async def prepare(self, content: bytes, name: str = "assets.csv", **context: Any) -> AssetImport:
        stored = await self.store.put(self.world.tenant, name, content)
        self.world.add("files", file_id=stored.file_id, original_name=name, mime_type="text/csv", size=stored.size,
                       sha256=stored.sha256, storage_key=stored.key, uploaded_by=self.world.user)  # fmt: skip
        return self.of_file(stored.file_id, **context)

    def of_file(self, file_id: UUID, **context: Any) -> AssetImport:
        import_job = uuid4()
        self.world.add("import_jobs", import_job_id=import_job, import_source_id=self.source,
                       context=Jsonb({"storageFileId": str(file_id), **context}))  # fmt: skip
        return AssetImport(tenant_id=self.world.tenant, user_id=self.world.user, import_job_id=import_job)

    def job(self, data: AssetImport) -> dict[str, Any]:
        (row,) = self.world.rows("select * from billing.import_jobs where import_job_id = %s", data.import_job_id)
        return row

    def items(self, data: AssetImport) -> Rows:
        query = "select * from billing.import_job_items where import_job_id = %s order by row_number"
        return self.world.rows(query, data.import_job_id)

    def statuses(self, data: AssetImport) -> Sequence[tuple[int, str]]:
        return [(item["row_number"], item["status"]) for item in self.items(data)]

    def assets(self) -> Rows:
        return self.world.rows("select * from billing.assets where tenant = %s order by name", self.world.tenant)

    def mappings(self) -> Rows:
        query = "select * from billing.external_entity_mappings where tenant = %s order by external_id"
        return self.world.rows(query, self.world.tenant)
