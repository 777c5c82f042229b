"""A look at XML before anything builds a tree of it: well formed, and nothing in it that a workbook does not need."""

from __future__ import annotations

from xml.parsers import expat

from jobcore_handlers.imports.errors import FileRefusedError
from jobcore_handlers.imports.limits import MIB
from jobcore_handlers.imports.shape import Shape

TAG_BYTES = MIB
"""The longest tag or comment: expat before 2.6 reads an unfinished one again with every piece (CVE-2023-52425)."""


class PlainXml:
    """Reads one document piece by piece and keeps nothing of it.

    Args:
        tags: how many tags there may be.
    """

    def __init__(self, tags: int) -> None:
        self._most_tags = tags
        self._tags = 0
        self._read = 0
        shape = Shape()
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartDoctypeDeclHandler = _refuse_document_type
        self._parser.StartElementHandler = shape.open
        self._parser.EndElementHandler = shape.end

    def feed(self, piece: bytes) -> None:
        """Read on; an empty piece is the end. Raises `FileRefusedError`."""
        self._read += len(piece)
        self._tags += piece.count(b"<")
        if self._tags > self._most_tags:
            raise FileRefusedError(
                f"A member of the workbook has more than {self._most_tags} tags. Split the workbook."
            )
        try:
            self._parser.Parse(piece, not piece)
        except expat.ExpatError as error:
            raise FileRefusedError(f"The workbook's XML is damaged: {expat.ErrorString(error.code)}.") from error
        if self._read - self._parser.CurrentByteIndex > TAG_BYTES:
            raise FileRefusedError(f"The workbook's XML has a tag or a comment of more than {TAG_BYTES} bytes.")


def _refuse_document_type(*_: object) -> None:
    """Without a document type there are neither entities nor references to the outside; workbooks may have none."""
    raise FileRefusedError("The workbook's XML declares a document type or entities, which no spreadsheet writes.")
