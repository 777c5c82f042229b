"""Invoices on paper, read back from the PDF file."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import reportlab
from pypdf import PdfReader

from jobcore.errors import ConfigurationError, NonRetryableError
from jobcore_handlers.errors import InvoiceNotPrintableError
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


async def text_of(sheet: InvoiceSheet, font: Path | None = None) -> list[str]:
    reader = PdfReader(io.BytesIO(await PdfInvoiceRenderer(font).render(sheet)))
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


def with_line(**changes: Any) -> InvoiceSheet:
    return replace(SHEET, lines=(replace(SHEET.lines[0], **changes),))


async def test_texts_of_any_length_are_printed_whole() -> None:
    words = " ".join(f"word{n}" for n in range(1500))
    lengthy = Party(name="name" * 1000, street="street " * 1000)
    sheet = replace(
        with_line(description=words), seller=lengthy, client=lengthy, number="N" * 1000, po_number="P" * 1000
    )
    pages = await text_of(sheet)
    text = "".join(pages)
    assert [word for word in words.split() if word not in text] == []
    assert text.count("883.67") == 1
    assert all(f"page {number}" in page for number, page in enumerate(pages, start=1))


async def test_the_foot_of_a_page_does_not_run_into_its_number() -> None:
    seller = "Pinewater Managed Services of the Harbour Road, on the Third Floor, in Portland, Maine"
    (text,) = await text_of(replace(SHEET, seller=Party(name=seller), number="INV-2026-000000000042-REVISED"))
    foot = text.splitlines()[:2]  # a page is drawn from its foot on
    assert foot[1] == "INV-2026-000000000042-REVISED  ·  page 1"
    assert seller.startswith(foot[0])
    assert foot[0] != seller


async def test_names_beyond_western_europe_are_printed() -> None:
    (text,) = await text_of(replace(SHEET, client=Party(name="Spedycja Łukasz Ğ")))
    assert "Spedycja Łukasz Ğ" in text


async def test_the_font_that_is_set_is_embedded(tmp_path: Path) -> None:
    font = tmp_path / "ours.ttf"
    font.write_bytes((Path(reportlab.__file__).parent / "fonts/VeraIt.ttf").read_bytes())
    sheet = replace(SHEET, client=Party(name="Łukasz"))
    page = PdfReader(io.BytesIO(await PdfInvoiceRenderer(font).render(sheet))).pages[0]
    fonts = {font.get_object()["/BaseFont"].partition("+")[2] for font in page["/Resources"]["/Font"].values()}
    assert "BitstreamVeraSans-Oblique" in fonts
    assert not [name for name in fonts if "Roman" in name]


@pytest.mark.parametrize(
    ("sheet", "words"),
    [
        (
            replace(SHEET, client=Party(name="Съешь ещё этих мягких булок")),
            "has С \\(U\\+0421\\).* and others. Set JOBCORE_BUILTIN__INVOICE_FONT to",
        ),
        (replace(SHEET, seller=Party(name="Łódź")), "has ź \\(U\\+017A\\). Set"),
        (with_line(unit="час"), "has а"),
        (replace(SHEET, client=Party(name="", email="é@例え.example")), "has え"),
        (replace(SHEET, client=Party(name="שלום")), "from right to left"),
    ],
)
async def test_what_no_font_can_print_is_refused_by_name(sheet: InvoiceSheet, words: str) -> None:
    with pytest.raises(InvoiceNotPrintableError, match=words) as caught:
        await text_of(sheet)
    assert isinstance(caught.value, NonRetryableError)


async def test_signs_without_a_meaning_do_not_hold_up_an_invoice() -> None:
    (text,) = await text_of(
        with_line(description="\u2713 Setup\t\U0001f680\x0b soft\u00adhyphen, cafe\u0301, 1\u202f000 €")
    )
    assert "? Setup ? softhyphen, café, 1 000 €" in text


def test_a_font_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "font.ttf").write_bytes(b"no font")
    for path in (tmp_path / "font.ttf", tmp_path / "nowhere.ttf"):
        with pytest.raises(ConfigurationError, match=f"{path.name} cannot be used.*JOBCORE_BUILTIN__INVOICE_FONT"):
            PdfInvoiceRenderer(path)


async def test_nobody_is_asked_to_pay_what_is_not_due() -> None:
    assert "Please pay by 04 Feb 2026" in (await text_of(SHEET))[0]
    (text,) = await text_of(replace(SHEET, subtotal=-5000, tax=-950, total=-5950))
    assert "USD -59.50" in text
    assert "There is nothing to pay." in text


async def test_credit_is_taken_off_what_is_due() -> None:
    (text,) = await text_of(replace(SHEET, credit_applied=10000))
    assert "-100.00" in text
    assert "USD 899.00" in text


async def test_an_invoice_over_nothing_says_so() -> None:
    (text,) = await text_of(replace(SHEET, lines=(), taxes=(), subtotal=0, tax=0, total=0))
    assert "No charges in this period" in text
    assert "USD 0.00" in text


@pytest.mark.parametrize(
    ("rate", "currency", "printed"),
    [
        ("12050", "USD", "120.50"),
        ("1.25", "USD", "0.0125"),
        ("100000000", "USD", "1,000,000.00"),
        ("13937.333333", "USD", "139.373333"),
        ("0", "USD", "0.00"),
        ("12050", "JPY", "12,050"),
        ("1.25", "JPY", "1.25"),
        ("12050", "KWD", "12.050"),
    ],
)
def test_rates_show_their_fractions(rate: str, currency: str, printed: str) -> None:
    assert format_rate(Decimal(rate), currency) == printed


async def test_amounts_have_the_decimal_places_of_their_currency() -> None:
    (text,) = await text_of(replace(SHEET, currency="JPY", subtotal=123456, tax=0, taxes=(), total=123456))
    assert "JPY 123,456" in text
    assert "." not in text[text.index("Subtotal") : text.index("Total due")]


def test_figures_have_no_idle_zeros() -> None:
    assert format_quantity(Decimal("1200.500000")) == "1,200.5"
    assert format_quantity(Decimal(100)) == "100"
    assert format_percent(Decimal("20.000000")) == "20%"
    assert format_percent(Decimal("8.875000")) == "8.875%"
    assert format_day(date(2025, 12, 1)) == "01 Dec 2025"
