"""How large a file may be that somebody brings."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

MIB = 1 << 20


class ImportLimits(BaseModel):
    """The bounds within which a file is read; one that passes any is refused as a whole."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file_bytes: int = Field(default=50 * MIB, ge=1, description="Size of the file.")
    rows: int = Field(default=200_000, ge=1, le=1_048_575, description="Rows that are not empty, without the header.")
    columns: int = Field(default=256, ge=1, le=16_384, description="Columns of any row.")
    # 131072 is what Python's csv takes, for the whole process.
    cell_chars: int = Field(default=32_767, ge=1, le=131_072, description="Characters of one cell.")
    inflated_bytes: int = Field(default=192 * MIB, ge=1, description="Size of a workbook's members, unpacked.")
    inflation: int = Field(default=200, ge=1, description="By how much a workbook's member may grow when unpacked.")
    xml_tags: int = Field(default=8_000_000, ge=1, description="Tags of a workbook's member; a cell has some four.")
    likeness: float = Field(
        default=0.82, ge=0, le=1, description="From which Levenshtein ratio two names are one; 1: only if equal."
    )
