"""What a page is built of: text in the fonts of its style, and tables without lines."""

# reportlab publishes no types; what it returns is unknown to the type checker throughout this file.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import Flowable, Paragraph, Table, TableStyle

MARGIN = 20 * mm
WIDTH = A4[0] - 2 * MARGIN
GUTTER = 6 * mm
_TALLEST = 60 * mm
"""How much of one paragraph stays together on a page."""
_LONGEST_LINE = 200
"""Characters; more do not fit into a line of any page."""


def text_block(text: str, style: Any) -> Paragraph:
    """Return a paragraph of plain text."""
    return Paragraph(escape(style.fonts.drawable(text)), style)


def shortened(text: str, style: Any, width: float) -> str:
    """Return as much of the beginning of `text` as fits into `width`, in points."""
    text = style.fonts.drawable(text[:_LONGEST_LINE])
    while length(text, style) > width:
        text = text[:-1]
    return text


def length(text: str, style: Any) -> float:
    """Return how long a line is, in points."""
    return stringWidth(text, style.fontName, style.fontSize)


def side_by_side(left: Sequence[Flowable], right: Sequence[Flowable]) -> Table:
    """Return two columns over the page's width."""
    style = [("RIGHTPADDING", (0, 0), (0, 0), GUTTER)]
    return bare_table([[left, right]], [WIDTH * 0.55, WIDTH * 0.45], style)


def pieces_of(paragraph: Flowable, width: float) -> Iterator[Flowable]:
    """Cut a paragraph that is too tall to stand on one page into some that are not."""
    while len(parts := paragraph.split(width, _TALLEST)) > 1:
        yield parts[0]
        paragraph = parts[1]
    yield paragraph


def bare_table(rows: list[list[Any]], widths: list[float], style: list[Any]) -> Table:
    """Return a table without lines and padding, which may be cut anywhere."""
    bare = [
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 0),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
    return Table(rows, colWidths=widths, splitInRow=1, style=TableStyle([*bare, *style]))
