"""How many parts a workbook's XML has that openpyxl keeps in memory, or reads again and again."""

from __future__ import annotations

from collections.abc import Mapping

from jobcore_handlers.imports.errors import FileRefusedError

MOST_KEPT = 50_000
"""Tags beside rows and texts: formats, links, merged cells. A format costs 1.3 kB."""
MOST_RECORDS = 1 << 20
"""Rows of a sheet, which is as many as a spreadsheet can have; texts that cells share."""
MOST_IN_RECORD = 1 << 16
_RECORDS = {"worksheet": "row", "sst": "si"}
"""What is read one by one and then forgotten, by the document that consists of them."""


class Shape:
    """Counts the tags of one document as they open and end."""

    def __init__(self) -> None:
        self._record: str | None = None
        self._is_first = True
        self._in_record = False
        self._kept = self._records = self._within = 0
        self._sheets: set[str] = set()

    def open(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Raises `FileRefusedError` if there are too many. Names have their namespaces before them, with a space."""
        name = tag.rpartition(" ")[2]
        if self._is_first:
            self._is_first, self._record = False, _RECORDS.get(name)
        if self._in_record:
            self._within += 1
            _bound(self._within, MOST_IN_RECORD, "parts of one row or text")
        elif name == self._record:
            self._in_record, self._within = True, 0
            self._records += 1
            _bound(self._records, MOST_RECORDS, "rows, or texts that cells share")
        else:
            self._kept += 1
            _bound(self._kept, MOST_KEPT, "formats, links or merged cells")
            self._refuse_second(name, attributes)

    def end(self, tag: str) -> None:
        if tag.rpartition(" ")[2] == self._record:
            self._in_record = False

    def _refuse_second(self, name: str, attributes: Mapping[str, str]) -> None:
        """Refuse a sheet that is named again: openpyxl looks into each as often as it is named."""
        if name == "sheet":
            named = {value for attribute, value in attributes.items() if attribute.endswith(" id")}
        elif name == "Relationship" and attributes.get("Type", "").endswith("/worksheet"):
            # The last part of a path is the same however the path is written.
            named = {attributes.get("Target", "").rpartition("/")[2]}
        else:
            return
        if named & self._sheets:
            raise FileRefusedError("The workbook names one sheet twice, as no spreadsheet does.")
        self._sheets |= named


def _bound(count: int, most: int, what: str) -> None:
    if count > most:
        raise FileRefusedError(f"A member of the workbook has more than {most} {what}, as no spreadsheet writes.")
