"""Invoices on paper, read back from the PDF file."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from pypdf import PdfReader

from jobcore_handlers.printing import InvoiceSheet, Party, SheetLine, TaxLine
from jobcore_handlers.printing.pdf import PdfInvoiceRenderer
from jobcore_handlers.printing.words import format_day, format_percent, format_quantity, format_rate

SHEET = InvoiceSheet(
    number="INV-000042",
    is_draft=False,
    invoice_date=date(2026, 1, 5),
    due_date=date(2026, 2, 4),
    period_start=date(2025, 12, 1),
    period_last_day=date(2025, 12, 31),
    po_number="PO-2201",
    currency="USD",
    seller=Party(name="Pinewater", street="1 Harbour Road", city="Portland", country="US", tax_number="99-1"),
    client=Party(name="Müller & Söhne <GmbH>", street="Hauptstraße 5", city="10115 Berlin", email="ap@mueller.example"),
    lines=(
        SheetLine(
            description="Care: Consulting", quantity=Decimal("7.333333"), unit="hour", rate=Decimal(12050),
            net_amount=88367, tax_percent=Decimal("19.000000"),
        ),
        SheetLine(
            description="Discount: Loyalty (5%)", quantity=Decimal(1), unit="", rate=None, net_amount=-4418,
            tax_percent=None,
        ),
    ),
    taxes=(TaxLine(percent=Decimal("19.000000"), amount=15951),),
    subtotal=83949,
    tax=15951,
    total=99900,
)  # fmt: skip


async def text_of(sheet: InvoiceSheet) -> list[str]:
    reader = PdfReader(io.BytesIO(await PdfInvoiceRenderer().render(sheet)))
    return [page.extract_text() for page in reader.pages]


async def test_number_parties_lines_tax_and_totals_stand_on_the_page() -> None:
    (text,) = await text_of(SHEET)
    for part in ("INVOICE", "INV-000042", "Pinewater", "1 Harbour Road", "Tax no. 99-1", "Müller & Söhne <GmbH>",
                 "Hauptstraße 5", "05 Jan 2026", "04 Feb 2026", "01 Dec 2025", "31 Dec 2025", "PO-2201",
                 "Care: Consulting", "7.3333 hour", "120.50", "883.67", "Discount: Loyalty (5%)", "-44.18",
                 "839.49", "Tax 19%", "159.51", "USD 999.00"):  # fmt: skip
        assert part in text
    assert "DRAFT" not in text


async def test_a_draft_says_so() -> None:
    assert "INVOICE (DRAFT)" in (await text_of(replace(SHEET, is_draft=True)))[0]


async def test_the_same_sheet_gives_the_same_bytes() -> None:
    renderer = PdfInvoiceRenderer()
    assert await renderer.render(SHEET) == await renderer.render(SHEET)


async def test_a_long_invoice_goes_on_with_its_head_and_a_page_number() -> None:
    pages = await text_of(replace(SHEET, lines=SHEET.lines * 60))
    assert len(pages) > 2
    for number, page in enumerate(pages, start=1):
        assert f"page {number}" in page
        assert "INV-000042" in page
    assert "Description" in pages[1]
    assert "USD 999.00" in pages[-1]


async def test_names_beyond_western_europe_are_printed() -> None:
    (text,) = await text_of(replace(SHEET, client=Party(name="Spedycja Łukasz Ğ")))
    assert "Spedycja Łukasz Ğ" in text


async def test_credit_is_taken_off_what_is_due() -> None:
    (text,) = await text_of(replace(SHEET, credit_applied=10000))
    assert "-100.00" in text
    assert "USD 899.00" in text


async def test_an_invoice_over_nothing_says_so() -> None:
    (text,) = await text_of(replace(SHEET, lines=(), taxes=(), subtotal=0, tax=0, total=0))
    assert "No charges in this period" in text
    assert "USD 0.00" in text


@pytest.mark.parametrize(
    ("rate", "printed"),
    [
        ("12050", "120.50"),
        ("1.25", "0.0125"),
        ("100000000", "1,000,000.00"),
        ("13937.333333", "139.373333"),
        ("0", "0.00"),
    ],
)
def test_rates_show_their_fractions(rate: str, printed: str) -> None:
    assert format_rate(Decimal(rate)) == printed


def test_figures_have_no_idle_zeros() -> None:
    assert format_quantity(Decimal("1200.500000")) == "1,200.5"
    assert format_quantity(Decimal(100)) == "100"
    assert format_percent(Decimal("20.000000")) == "20%"
    assert format_percent(Decimal("8.875000")) == "8.875%"
    assert format_day(date(2025, 12, 1)) == "01 Dec 2025"
