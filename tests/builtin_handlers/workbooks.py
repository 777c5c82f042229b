"""XLSX files as programs write them, and as nobody should."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from xml.sax.saxutils import escape

TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
)
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PARTS = {
    "[Content_Types].xml": TYPES,
    "_rels/.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r1" Type="{OFFICE}/officeDocument" '
    'Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
    '<sheet name="Sheet1" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r1" '
    f'Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
SHEET = "xl/worksheets/sheet1.xml"


def sheet_of(rows: Iterable[Iterable[str]]) -> Iterable[str]:
    """The XML of a sheet, piece by piece."""
    yield f'<worksheet xmlns="{MAIN}"><sheetData>'
    for row in rows:
        cells = "".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in row)
        yield f"<row>{cells}</row>"
    yield "</sheetData></worksheet>"


def workbook(sheet: Iterable[str] = (), **more: str | bytes) -> io.BytesIO:
    """A workbook of the given sheet; `more` members come after the usual ones, or instead of them."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open(SHEET, "w") as member:
            for piece in sheet:
                member.write(piece.encode())
        for name, content in {**PARTS, **more}.items():
            archive.writestr(name, content)
    file.seek(0)
    return file


def bomb(size: int = 1 << 30) -> io.BytesIO:
    """A small workbook whose sheet inflates to `size` bytes."""
    piece = " " * (1 << 20)
    return workbook(piece for _ in range(size >> 20))
