"""The first sheet of an XLSX workbook. No formula is evaluated: what is read is the value that was saved with it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

import openpyxl

from jobcore.errors import ConfigurationError
from jobcore_handlers.imports.archive import vet_archive
from jobcore_handlers.imports.errors import FileRefusedError
from jobcore_handlers.imports.limits import ImportLimits
from jobcore_handlers.imports.table import Table

# On a damaged part openpyxl fails with whatever its parser stumbles over.
_DAMAGED = (
    ArithmeticError, AttributeError, BadZipFile, EOFError, LookupError, NotImplementedError, OSError, ParseError,
    RuntimeError, TypeError, ValueError, zlib.error,
)  # fmt: skip


class WorkbookTable(Table):
    """Cells become text: whole numbers without a point, dates as YYYY-MM-DD, truth values as true and false."""

    def __init__(self, file: BinaryIO, limits: ImportLimits) -> None:
        super().__init__(limits)
        if not openpyxl.DEFUSEDXML:
            raise ConfigurationError(
                "openpyxl would read workbooks without defusedxml: unset OPENPYXL_DEFUSEDXML, and install defusedxml."
            )
        vet_archive(file, limits)
        self._sheet = _first_sheet(file)

    def records(self) -> Iterator[Sequence[str]]:
        rows = self._sheet.iter_rows(values_only=True)
        while True:
            try:
                row = next(rows, None)
            except _DAMAGED as error:
                raise FileRefusedError(f"The workbook is damaged ({type(error).__name__}).") from error
            if row is None:
                return
            yield _texts(row)


def _first_sheet(file: BinaryIO) -> Any:
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheets = book.worksheets
    except _DAMAGED as error:
        raise FileRefusedError(f"The file is no workbook that can be read ({type(error).__name__}).") from error
    if not sheets:
        raise FileRefusedError("The workbook has no sheet.")
    # What the sheet says of its size is neither needed nor believed.
    sheets[0].reset_dimensions()
    return sheets[0]


def _texts(values: Sequence[Any]) -> Sequence[str]:
    texts = [_text(value) for value in values]
    while texts and not texts[-1]:
        texts.pop()  # cells that have a format only
    return texts


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return str(int(value))
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return str(value)
