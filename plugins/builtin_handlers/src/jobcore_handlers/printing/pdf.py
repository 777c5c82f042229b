"""Invoices as PDF files, on A4, by reportlab."""

# reportlab publishes no types; what it returns is unknown to the type checker throughout this file.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportUnknownParameterType=false

from __future__ import annotations

import asyncio
import io
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from jobcore_handlers.billing.money import format_money
from jobcore_handlers.printing.renderer import InvoiceRenderer
from jobcore_handlers.printing.sheet import InvoiceSheet, Party, SheetLine
from jobcore_handlers.printing.style import INK, PALE, RULE, Look, look_for
from jobcore_handlers.printing.words import format_day, format_percent, format_quantity, format_rate

_MARGIN = 20 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_COLUMNS = [_WIDTH * share for share in (0.40, 0.17, 0.15, 0.12, 0.16)]


class PdfInvoiceRenderer(InvoiceRenderer):
    """Renders in a thread, with nothing in the file that depends on the time or the machine."""

    mime_type = "application/pdf"
    extension = ".pdf"

    async def render(self, sheet: InvoiceSheet) -> bytes:
        return await asyncio.to_thread(render_pdf, sheet)


def render_pdf(sheet: InvoiceSheet) -> bytes:
    """Return `sheet` as a PDF file. Blocks for some milliseconds a page."""
    look = look_for(_texts(sheet))
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
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
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
    left = [_text(sheet.seller.name, look.name), *_party_lines(sheet.seller, look)]
    right = [_text(title, look.title), _text(sheet.number, look.number)]
    return _table([[left, right]], [_WIDTH * 0.55, _WIDTH * 0.45], [("VALIGN", (0, 0), (-1, -1), "TOP")])


def _addresses(sheet: InvoiceSheet, look: Look) -> Table:
    bill_to = [_text("Bill to", look.label), _text(sheet.client.name, look.strong), *_party_lines(sheet.client, look)]
    facts = [[_text(label, look.label), _text(value, look.figure)] for label, value in _facts(sheet)]
    inner = _table(facts, [_WIDTH * 0.18, _WIDTH * 0.27], [("BOTTOMPADDING", (0, 0), (-1, -1), 2)])
    return _table([[bill_to, inner]], [_WIDTH * 0.55, _WIDTH * 0.45], [("VALIGN", (0, 0), (-1, -1), "TOP")])


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
    head = [_text(title, style) for title, style in zip(titles, styles, strict=True)]
    rows = [_line_row(line, look) for line in sheet.lines]
    if not rows:
        rows = [[_text("No charges in this period", look.body), "", "", "", _text(_plain(0), look.figure)]]
    style = [
        ("BACKGROUND", (0, 0), (-1, 0), INK),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, RULE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 5),
        ("RIGHTPADDING", (0, 0), (-1, -1), 5),
        ("TOPPADDING", (0, 0), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
    ]
    return Table([head, *rows], colWidths=_COLUMNS, repeatRows=1, style=TableStyle(style))


def _line_row(line: SheetLine, look: Look) -> list[Any]:
    quantity = "" if line.rate is None else f"{format_quantity(line.quantity)} {line.unit}".strip()
    rate = "" if line.rate is None else format_rate(line.rate)
    percent = "" if line.tax_percent is None else format_percent(line.tax_percent)
    return [
        _text(line.description, look.body),
        _text(quantity, look.figure),
        _text(rate, look.figure),
        _text(percent, look.figure),
        _text(_plain(line.net_amount), look.figure),
    ]


def _totals(sheet: InvoiceSheet, look: Look) -> Table:
    rows = [("Subtotal", sheet.subtotal)]
    rows += [(f"Tax {format_percent(tax.percent)}", tax.amount) for tax in sheet.taxes]
    if not sheet.taxes:
        rows.append(("Tax", sheet.tax))
    if sheet.credit_applied:
        rows.append(("Credit applied", -sheet.credit_applied))
    cells: list[list[Any]] = [["", _text(label, look.body), _text(_plain(cents), look.figure)] for label, cents in rows]
    total = format_money(sheet.amount_due, sheet.currency)
    cells.append(["", _text("Total due", look.strong), _text(total, look.strong_right)])
    style = [
        ("BACKGROUND", (1, -1), (-1, -1), PALE),
        ("LINEABOVE", (1, -1), (-1, -1), 0.8, INK),
        ("LEFTPADDING", (0, 0), (-1, -1), 5),
        ("RIGHTPADDING", (0, 0), (-1, -1), 5),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
    ]
    return Table(cells, colWidths=[_WIDTH * 0.55, _WIDTH * 0.2, _WIDTH * 0.25], style=TableStyle(style))


def _payment_note(sheet: InvoiceSheet, look: Look) -> Table:
    note = f"Please pay by {format_day(sheet.due_date)} and quote {sheet.number}. All amounts are in {sheet.currency}."
    return _table([[_text(note, look.small)]], [_WIDTH], [])


def _draw_footer(canvas: Any, page: int, sheet: InvoiceSheet, look: Look) -> None:
    canvas.saveState()
    canvas.setStrokeColor(RULE)
    canvas.line(_MARGIN, 17 * mm, A4[0] - _MARGIN, 17 * mm)
    canvas.setFont(look.small.fontName, look.small.fontSize)
    canvas.setFillColor(look.small.textColor)
    canvas.drawString(_MARGIN, 12 * mm, sheet.seller.name[:70])
    canvas.drawRightString(A4[0] - _MARGIN, 12 * mm, f"{sheet.number}  ·  page {page}")
    canvas.restoreState()


def _party_lines(party: Party, look: Look) -> list[Paragraph]:
    lines = [*party.address, party.email or "", f"Tax no. {party.tax_number}" if party.tax_number else ""]
    return [_text(line, look.body) for line in lines if line]


def _texts(sheet: InvoiceSheet) -> list[str]:
    parties = [field for party in (sheet.seller, sheet.client) for field in (party.name, *party.address)]
    return [*parties, *(line.description for line in sheet.lines), sheet.po_number or "", sheet.number]


def _text(text: str, style: Any) -> Paragraph:
    return Paragraph(escape(text), style)


def _plain(cents: int) -> str:
    return format_money(cents, "").strip()


def _table(rows: list[list[Any]], widths: list[float], style: list[Any]) -> Table:
    bare = [
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 0),
    ]
    return Table(rows, colWidths=widths, style=TableStyle([*bare, *style]))
