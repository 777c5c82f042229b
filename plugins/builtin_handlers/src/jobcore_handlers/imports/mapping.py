"""Which column is which field."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import orjson

from jobcore_handlers.imports.errors import ImportRefusedError
from jobcore_handlers.imports.fields import FIELDS, REQUIRED, TEXT_CHARS


class ColumnMapping:
    """Finds the fields of a row by its columns' positions.

    Args:
        wanted: from fields to headers, which are compared without regard to case.
        header: the file's first row.

    Raises:
        ImportRefusedError: if the mapping is empty, names what there is not, or lacks a field that each asset needs.
    """

    def __init__(self, wanted: Mapping[str, str], header: Sequence[str]) -> None:
        _check(wanted)
        self._header = header
        self._columns = {name: _position(name, column, header) for name, column in wanted.items()}

    def values(self, cells: Sequence[str]) -> dict[str, str]:
        """Return a row's text by field; columns that the row lacks are empty."""
        return {name: cells[at].strip() if at < len(cells) else "" for name, at in self._columns.items()}

    def source(self, cells: Sequence[str]) -> dict[str, str]:
        """Return what is kept of a row for people to look up: the mapped columns, long values cut."""
        return {name: value[:TEXT_CHARS] for name, value in self.values(cells).items() if value}

    def digest(self, cells: Sequence[str]) -> str:
        """Return the SHA-256 of the whole row, sorted by headers, in hexadecimal digits."""
        row = {(name or f"#{at}"): cells[at] for at, name in enumerate(self._header) if at < len(cells)}
        return hashlib.sha256(orjson.dumps(row, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _check(wanted: Mapping[str, str]) -> None:
    if not wanted:
        raise ImportRefusedError(
            "The import has no field mapping: set fieldMapping in the import's context, or field_mapping of its source."
        )
    if unknown := sorted(set(wanted) - set(FIELDS)):
        raise ImportRefusedError(f"The field mapping names {', '.join(unknown)}; there are {', '.join(FIELDS)}.")
    if missing := [name for name in REQUIRED if name not in wanted]:
        raise ImportRefusedError(f"The field mapping lacks {' and '.join(missing)}, which every asset needs.")


def _position(name: str, column: str, header: Sequence[str]) -> int:
    found = [at for at, title in enumerate(header) if title.casefold() == column.strip().casefold()]
    if len(found) != 1:
        raise ImportRefusedError(
            f"The field {name} is mapped to the column {column[:80]!r}, which the file has "
            f"{'not' if not found else f'{len(found)} times'}. Correct the mapping or the file's first row."
        )
    return found[0]
