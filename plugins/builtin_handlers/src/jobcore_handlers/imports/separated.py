"""Tables of separated values: CSV, and its likes with tabs, semicolons and bars."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from jobcore_handlers.imports.errors import EncodingRefusedError, FileRefusedError
from jobcore_handlers.imports.limits import MIB, ImportLimits
from jobcore_handlers.imports.table import Table

SEPARATORS = ",\t;|"
LINE_CHARS = 4 * MIB
"""The longest line that is read, whatever the other limits."""


class SeparatedTable(Table):
    """The separator is the one by which the first row has most columns; quotes are `"`, doubled inside themselves."""

    def __init__(self, file: BinaryIO, limits: ImportLimits) -> None:
        super().__init__(limits)
        self._file = file
        self._encoding = _encoding_of(file)
        self._separator = max(SEPARATORS, key=self._columns_by)

    def records(self) -> Iterator[Sequence[str]]:
        return self._records(self._separator)

    def _records(self, separator: str) -> Iterator[Sequence[str]]:
        self._file.seek(0)
        text = io.TextIOWrapper(self._file, encoding=self._encoding, newline="")
        reader = csv.reader(_lines(text), delimiter=separator, strict=True)
        try:
            yield from reader
        except csv.Error as error:
            raise FileRefusedError(f"Line {reader.line_num} is not well formed: {error}.") from error
        except UnicodeDecodeError as error:
            found = f"after line {reader.line_num} stands what is not {self._encoding}"
            raise EncodingRefusedError(found) from error
        finally:
            text.detach()

    def _columns_by(self, separator: str) -> int:
        try:
            return len(next(self._records(separator), ()))
        except EncodingRefusedError:
            raise
        except FileRefusedError:  # by this separator; if by all of them, reading says so
            return 0


def _encoding_of(file: BinaryIO) -> str:
    file.seek(0)
    start = file.read(4)
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise EncodingRefusedError("it has the byte-order mark of UTF-32")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    number = 0
    while line := text.readline(LINE_CHARS + 1):
        number += 1
        if "\0" in line:
            raise FileRefusedError(
                f"Line {number} holds a NUL byte: the file is none of text, or UTF-16 without a byte-order mark. Save "
                "it as CSV in UTF-8, then import it again."
            )
        if len(line) > LINE_CHARS:
            raise FileRefusedError(f"Line {number} has more than {LINE_CHARS} characters.")
        yield line
