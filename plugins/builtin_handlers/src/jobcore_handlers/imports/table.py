"""A file as rows of text. It can be read again and again, each time as a stream."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from jobcore_handlers.imports.errors import FileRefusedError
from jobcore_handlers.imports.limits import ImportLimits

LAST_ROW = 1_048_576
"""The last row number of a spreadsheet; nobody's file has so many empty lines."""

ZIP_MAGIC = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is not empty; `number` is what a spreadsheet shows beside it, the header's being 1."""

    number: int
    cells: Sequence[str]


class Table(ABC):
    """Rows below a header. All calls block; every row is checked against the limits as it is read.

    Raises, wherever it reads:
        FileRefusedError: if the file is damaged or passes a limit.
    """

    def __init__(self, limits: ImportLimits) -> None:
        self._limits = limits

    @abstractmethod
    def records(self) -> Iterator[Sequence[str]]:
        """Read the file from its beginning: the cells of each row, the header and empty rows too."""

    def header(self) -> Sequence[str]:
        """Return the first row. Raises `FileRefusedError` if it is empty."""
        header = [cell.strip() for cell in self._checked(1, next(self.records(), ()))]
        if not any(header):
            raise FileRefusedError("The file's first row is empty; it must hold the columns' headers.")
        return header

    def rows(self) -> Iterator[Row]:
        """Read the rows below the header that are not empty."""
        count = 0
        for number, cells in enumerate(self.records(), start=1):
            if number > LAST_ROW:
                raise FileRefusedError(f"The file goes on after row {LAST_ROW}, the last of a spreadsheet. Split it.")
            self._checked(number, cells)
            if number == 1 or not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > self._limits.rows:
                raise FileRefusedError(f"The file has more than {self._limits.rows} rows. Split it.")
            yield Row(number, cells)

    def count(self) -> int:
        """Read all of it, so that nothing is imported of a file that is refused; return how many rows there are."""
        return sum(1 for _ in self.rows())

    def _checked(self, number: int, cells: Sequence[str]) -> Sequence[str]:
        if len(cells) > self._limits.columns:
            raise FileRefusedError(f"Row {number} has {len(cells)} columns; up to {self._limits.columns} are read.")
        if cells and max(map(len, cells)) > self._limits.cell_chars:
            raise FileRefusedError(f"A cell of row {number} has more than {self._limits.cell_chars} characters.")
        return cells


def open_table(file: BinaryIO, limits: ImportLimits) -> Table:
    """Return the table in `file`, which can seek: a workbook if it begins as a ZIP archive, else separated values.

    Raises:
        FileRefusedError: if it is no workbook that is read, or in no encoding that is read.
    """
    file.seek(0)
    if file.read(len(ZIP_MAGIC)) == ZIP_MAGIC:
        from jobcore_handlers.imports.workbook import WorkbookTable

        return WorkbookTable(file, limits)
    from jobcore_handlers.imports.separated import SeparatedTable

    return SeparatedTable(file, limits)
