"""Invoices as PDF files, on A4, by reportlab."""

# reportlab publishes no types; what it returns is unknown to the type checker throughout this file.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportUnknownParameterType=false

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from jobcore_handlers.billing.money import format_amount, format_money
from jobcore_handlers.printing.blocks import (
    GUTTER,
    MARGIN,
    WIDTH,
    bare_table,
    length,
    pieces_of,
    shortened,
    side_by_side,
    text_block,
)
from jobcore_handlers.printing.fonts import Fonts, embedded_fonts, fonts_for
from jobcore_handlers.printing.renderer import InvoiceRenderer
from jobcore_handlers.printing.sheet import InvoiceSheet, Party, SheetLine
from jobcore_handlers.printing.style import INK, PALE, RULE, Look, look_with
from jobcore_handlers.printing.words import format_day, format_percent, format_quantity, format_rate

_PADDING = 5
_COLUMNS = [WIDTH * share for share in (0.36, 0.16, 0.18, 0.10, 0.20)]


class PdfInvoiceRenderer(InvoiceRenderer):
    """Renders in a thread, with nothing in the file that depends on the time or the machine.

    Args:
        font: a TrueType font for texts beyond Western Europe; without one, Vera, which knows few more letters.
        bold: its bold one; without it, headings are set in `font`.

    Raises:
        ConfigurationError: if a file is none of a TrueType font.
    """

    mime_type = "application/pdf"
    extension = ".pdf"

    def __init__(self, font: Path | None = None, bold: Path | None = None) -> None:
        self._fonts = embedded_fonts(font, bold)

    async def render(self, sheet: InvoiceSheet) -> bytes:
        return await asyncio.to_thread(_render, sheet, self._fonts)


def _render(sheet: InvoiceSheet, embedded: Fonts) -> bytes:
    look = look_with(fonts_for(_texts(sheet), embedded))
    story: list[Flowable] = [
        _heading(sheet, look),
        Spacer(0, 9 * mm),
        _addresses(sheet, look),
        Spacer(0, 9 * mm),
        _line_table(sheet, look),
        Spacer(0, 5 * mm),
        KeepTogether([_totals(sheet, look), Spacer(0, 9 * mm), _payment_note(sheet, look)]),
    ]
    target = io.BytesIO()
    document = SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=24 * mm,
        title=f"Invoice {sheet.number}",
        author=sheet.seller.name,
        invariant=1,
    )

    def footer(canvas: Any, page: Any) -> None:
        _draw_footer(canvas, page.page, sheet, look)

    document.build(story, onFirstPage=footer, onLaterPages=footer)
    return target.getvalue()


def _heading(sheet: InvoiceSheet, look: Look) -> Table:
    title = "INVOICE" if not sheet.is_draft else "INVOICE (DRAFT)"
    left = [text_block(sheet.seller.name, look.name), *_party_lines(sheet.seller, look)]
    right = [text_block(title, look.title), text_block(sheet.number, look.number)]
    return side_by_side(left, right)


def _addresses(sheet: InvoiceSheet, look: Look) -> Table:
    bill_to = [
        text_block("Bill to", look.label),
        text_block(sheet.client.name, look.strong),
        *_party_lines(sheet.client, look),
    ]
    facts = [[text_block(label, look.label), text_block(value, look.figure)] for label, value in _facts(sheet)]
    inner = bare_table(facts, [WIDTH * 0.18, WIDTH * 0.27], [("BOTTOMPADDING", (0, 0), (-1, -1), 2)])
    return side_by_side(bill_to, [inner])


def _facts(sheet: InvoiceSheet) -> list[tuple[str, str]]:
    facts = [("Invoice date", format_day(sheet.invoice_date)), ("Due date", format_day(sheet.due_date))]
    if sheet.period_start is not None and sheet.period_last_day is not None:
        period = f"{format_day(sheet.period_start)} – {format_day(sheet.period_last_day)}"
        facts.append(("Period", period))
    if sheet.po_number is not None:
        facts.append(("PO number", sheet.po_number))
    return facts


def _line_table(sheet: InvoiceSheet, look: Look) -> Table:
    titles = ("Description", "Quantity", "Rate", "Tax", "Amount")
    styles = (look.head, *[look.head_right] * 4)
    head = [text_block(title, style) for title, style in zip(titles, styles, strict=True)]
    rows = [row for line in sheet.lines for row in _line_rows(line, sheet.currency, look)]
    if not rows:
        nothing = format_amount(0, sheet.currency)
        rows = [[text_block("No charges in this period", look.body), "", "", "", text_block(nothing, look.figure)]]
    style = [
        ("BACKGROUND", (0, 0), (-1, 0), INK),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, RULE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), _PADDING),
        ("RIGHTPADDING", (0, 0), (-1, -1), _PADDING),
        ("TOPPADDING", (0, 0), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
    ]
    return Table([head, *rows], colWidths=_COLUMNS, repeatRows=1, style=TableStyle(style))


def _line_rows(line: SheetLine, currency: str, look: Look) -> Iterator[list[Any]]:
    """One row, and one more for each further piece of a description that is longer than a page may be."""
    quantity = "" if line.rate is None else f"{format_quantity(line.quantity)} {line.unit}".strip()
    rate = "" if line.rate is None else format_rate(line.rate, currency)
    percent = "" if line.tax_percent is None else format_percent(line.tax_percent)
    amount = format_amount(line.net_amount, currency)
    first, *rest = pieces_of(text_block(line.description, look.body), _COLUMNS[0] - 2 * _PADDING)
    yield [first, *(text_block(text, look.figure) for text in (quantity, rate, percent, amount))]
    for piece in rest:
        yield [piece, "", "", "", ""]


def _totals(sheet: InvoiceSheet, look: Look) -> Table:
    rows = [("Subtotal", sheet.subtotal)]
    rows += [(f"Tax {format_percent(tax.percent)}", tax.amount) for tax in sheet.taxes]
    if not sheet.taxes:
        rows.append(("Tax", sheet.tax))
    if sheet.credit_applied:
        rows.append(("Credit applied", -sheet.credit_applied))
    cells: list[list[Any]] = [
        ["", text_block(label, look.body), text_block(format_amount(cents, sheet.currency), look.figure)]
        for label, cents in rows
    ]
    total = format_money(sheet.amount_due, sheet.currency)
    cells.append(["", text_block("Total due", look.strong), text_block(total, look.strong_right)])
    style = [
        ("BACKGROUND", (1, -1), (-1, -1), PALE),
        ("LINEABOVE", (1, -1), (-1, -1), 0.8, INK),
        ("LEFTPADDING", (0, 0), (-1, -1), _PADDING),
        ("RIGHTPADDING", (0, 0), (-1, -1), _PADDING),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ]
    return Table(cells, colWidths=[WIDTH * 0.55, WIDTH * 0.2, WIDTH * 0.25], style=TableStyle(style))


def _payment_note(sheet: InvoiceSheet, look: Look) -> Table:
    pay = f"Please pay by {format_day(sheet.due_date)} and quote {sheet.number}."
    note = f"{pay if sheet.amount_due > 0 else 'There is nothing to pay.'} All amounts are in {sheet.currency}."
    return bare_table([[text_block(note, look.small)]], [WIDTH], [])


def _draw_footer(canvas: Any, page: int, sheet: InvoiceSheet, look: Look) -> None:
    canvas.saveState()
    canvas.setStrokeColor(RULE)
    canvas.line(MARGIN, 17 * mm, A4[0] - MARGIN, 17 * mm)
    canvas.setFont(look.small.fontName, look.small.fontSize)
    canvas.setFillColor(look.small.textColor)
    right = f"{shortened(sheet.number, look.small, WIDTH * 0.5)}  ·  page {page}"
    left = shortened(sheet.seller.name, look.small, WIDTH - GUTTER - length(right, look.small))
    canvas.drawString(MARGIN, 12 * mm, left)
    canvas.drawRightString(A4[0] - MARGIN, 12 * mm, right)
    canvas.restoreState()


def _party_lines(party: Party, look: Look) -> list[Paragraph]:
    lines = [*party.address, party.email or "", f"Tax no. {party.tax_number}" if party.tax_number else ""]
    return [text_block(line, look.body) for line in lines if line]


def _texts(sheet: InvoiceSheet) -> Iterator[str]:
    for party in (sheet.seller, sheet.client):
        yield from (party.name, *party.address, party.email or "", party.tax_number or "")
    for line in sheet.lines:
        yield from (line.description, line.unit)
    yield from (sheet.number, sheet.po_number or "", sheet.currency)
