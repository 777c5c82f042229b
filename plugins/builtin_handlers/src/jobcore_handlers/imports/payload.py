"""What `asset_import` is told, and what its import job says."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from jobcore import JobData


class AssetImport(JobData):
    """Which import is to be done, and for whom."""

    user_id: UUID
    import_job_id: UUID
    import_source_id: UUID | None = None
    """That of the import job, if it is named."""


class ImportContext(BaseModel):
    """The column `context` of an import job; what else stands there is other programs' business."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    storage_file_id: UUID
    field_mapping: dict[str, str] | None = None
    """From a field of an asset to the header of its column; without one, that of the source."""
    associated_client_id: UUID | None = None
    default_client_id: UUID | None = None
