"""Charges, discounts, tax and rounding, against a second computation of the same rules."""

from __future__ import annotations

import math
from datetime import date, timedelta
from fractions import Fraction
from uuid import UUID, uuid4, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobcore_handlers.billing.charges import compute_charges
from jobcore_handlers.billing.invoice import InvoiceDraft, draft_invoice
from jobcore_handlers.billing.money import apportion, as_decimal, format_money, format_number, round_up
from jobcore_handlers.billing.periods import Period
from jobcore_handlers.billing.records import BillingInput, ContractLine, Delivery, Discount, LineKind, TaxRate
from jobcore_handlers.errors import RateMissingError, TaxRateMissingError

NOVEMBER = Period(date(2025, 11, 1), date(2025, 12, 1))
SPACE = UUID(int=7)
SERVICES = [uuid5(SPACE, name) for name in "abc"]


def line(kind: LineKind, service: UUID = SERVICES[0], rate: str | None = "100", **changes: object) -> ContractLine:
    values = {"line_id": uuid4(), "contract_name": "Care", "kind": kind, "service_id": service, "service_name": "Work",
              "unit": "hour", "quantity": Fraction(1), "rate": None if rate is None else Fraction(rate),
              "tax_class": None, "starts": date(2025, 1, 1), "ends": None, **changes}  # fmt: skip
    return ContractLine(**values)


def delivery(quantity: str, kind: LineKind = LineKind.HOURLY, service: UUID = SERVICES[0], day: int = 5) -> Delivery:
    return Delivery(record_id=uuid4(), kind=kind, service_id=service, service_name="Work",
                    day=date(2025, 11, day), quantity=Fraction(quantity))  # fmt: skip


def draft(
    lines: list[ContractLine], deliveries: list[Delivery], discounts: list[Discount] | None = None,
    taxes: dict[str, str] | None = None, period: Period = NOVEMBER,
) -> InvoiceDraft:  # fmt: skip
    rates = tuple(
        TaxRate(tax_rate_id=uuid4(), region="R", tax_class=name, percent=Fraction(percent))
        for name, percent in (taxes or {}).items()
    )
    billing = BillingInput(lines=tuple(lines), deliveries=tuple(deliveries), discounts=tuple(discounts or ()),
                           tax_rates=rates, tax_region=None if taxes is None else "R")  # fmt: skip
    return draft_invoice(period, billing)


def percent_off(percent: str, service: UUID | None = None) -> Discount:
    return Discount(discount_id=uuid4(), name="Off", service_id=service, percent=Fraction(percent))


def cents_off(cents: int, service: UUID | None = None) -> Discount:
    return Discount(discount_id=uuid4(), name="Off", service_id=service, amount=cents)


def test_a_third_of_a_cent_is_rounded_up_once_for_the_invoice_not_once_a_line() -> None:
    lines = [line(LineKind.USAGE, service, "0.333333") for service in SERVICES]
    invoice = draft(lines, [delivery("1", LineKind.USAGE, service) for service in SERVICES])
    assert invoice.subtotal == 1
    assert [entry.net_amount for entry in invoice.lines] == [1, 0, 0]


def test_tax_is_rounded_up() -> None:
    invoice = draft([line(LineKind.HOURLY, rate="101", tax_class="full")], [delivery("1")], taxes={"full": "19"})
    assert (invoice.subtotal, invoice.tax, invoice.total) == (101, 20, 121)


def test_tax_is_of_what_is_left_after_discounts() -> None:
    invoice = draft([line(LineKind.HOURLY, rate="1000", tax_class="full")], [delivery("1")], [percent_off("50")],
                    {"full": "20"})  # fmt: skip
    assert (invoice.subtotal, invoice.tax) == (500, 100)


def test_percentages_are_of_the_undiscounted_amount_and_come_before_fixed_amounts() -> None:
    invoice = draft([line(LineKind.HOURLY, rate="1000")], [delivery("1")],
                    [cents_off(100), percent_off("10"), percent_off("20")])  # fmt: skip
    assert [entry.net_amount for entry in invoice.lines] == [1000, -100, -200, -100]


def test_a_discount_for_a_service_leaves_the_others_alone() -> None:
    lines = [line(LineKind.HOURLY), line(LineKind.HOURLY, SERVICES[1])]
    work = [delivery("1"), delivery("3", service=SERVICES[1])]
    assert draft(lines, work, [percent_off("50", SERVICES[1])]).subtotal == 250
    assert draft(lines, work, [cents_off(1000, SERVICES[0])]).subtotal == 300


def test_discounts_never_take_more_than_there_is() -> None:
    invoice = draft([line(LineKind.HOURLY)], [delivery("1")], [percent_off("60"), percent_off("60"), cents_off(10)])
    assert invoice.subtotal == 0
    assert invoice.has_charges
    assert not invoice.is_empty


def test_a_fixed_amount_without_any_charge_is_an_amount_without_charges() -> None:
    invoice = draft([], [], [cents_off(10)])
    assert (invoice.has_charges, invoice.is_empty, invoice.total) == (False, False, -10)
    assert draft([], [], [percent_off("10")]).is_empty


def test_a_fixed_fee_is_due_on_each_first_of_a_month_and_never_split() -> None:
    fee = line(LineKind.FIXED, quantity=Fraction(2))
    quarter = Period(date(2025, 10, 1), date(2026, 1, 1))
    assert draft([fee], [], period=quarter).subtotal == 600
    assert draft([fee], [], period=Period(date(2025, 11, 15), date(2025, 12, 15))).subtotal == 200
    assert draft([fee], [], period=Period(date(2025, 11, 2), date(2025, 11, 9))).is_empty
    late = line(LineKind.FIXED, starts=date(2025, 10, 2), ends=date(2025, 12, 1))
    assert draft([late], [], period=quarter).subtotal == 100


def test_two_contracts_for_one_service_bill_an_hour_once() -> None:
    first, second = line(LineKind.HOURLY, ends=date(2025, 11, 10)), line(LineKind.HOURLY, rate="300")
    charges = compute_charges(NOVEMBER, [first, second], [delivery("1", day=9), delivery("1", day=10)])
    assert [(charge.line, charge.amount) for charge in charges] == [(first, 100), (second, 300)]


def test_work_that_no_line_covers_is_not_billed() -> None:
    invoice = draft([line(LineKind.USAGE)], [delivery("1")])
    assert invoice.is_empty
    assert (invoice.billed_time, invoice.not_covered) == ((), 1)
    assert draft([line(LineKind.HOURLY)], [delivery("1"), delivery("0", LineKind.USAGE)]).not_covered == 0


def test_a_missing_rate_is_an_error_only_where_something_is_charged() -> None:
    free = line(LineKind.HOURLY, rate=None, service_name="Night watch")
    assert draft([free], []).is_empty
    with pytest.raises(RateMissingError, match="'Night watch'"):
        draft([free], [delivery("1")])


def test_a_missing_tax_rate_is_an_error_only_for_taxable_services() -> None:
    assert draft([line(LineKind.HOURLY)], [delivery("1")], taxes={}).tax == 0
    with pytest.raises(TaxRateMissingError, match="2025-11-30"):
        draft([line(LineKind.HOURLY, tax_class="full")], [delivery("1")], taxes={"reduced": "7"})


amounts = st.fractions(min_value=-10_000, max_value=10_000, max_denominator=1000)


@given(st.lists(amounts, max_size=20))
def test_apportioned_cents_add_up_to_the_sum_rounded_up_and_are_each_off_by_less_than_one(
    exact: list[Fraction],
) -> None:
    shares = apportion(exact)
    assert sum(shares) == math.ceil(sum(exact))
    assert all(abs(share - amount) < 1 for share, amount in zip(shares, exact, strict=True))


rates = st.decimals(0, 500, places=4).map(Fraction)
percents = st.decimals(0, 100, places=2).map(Fraction)
work = st.lists(
    st.tuples(st.sampled_from([LineKind.HOURLY, LineKind.USAGE]), st.sampled_from(SERVICES), st.integers(-40, 70),
              st.fractions(0, 50, max_denominator=60)),
    max_size=15,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(work, st.lists(rates, min_size=6, max_size=6), st.lists(percents, max_size=3), st.integers(0, 5000), percents)
def test_totals_equal_an_independent_computation(
    items: list[tuple[LineKind, UUID, int, Fraction]], prices: list[Fraction], discounts: list[Fraction], off: int,
    tax: Fraction,
) -> None:  # fmt: skip
    kinds = [(kind, service) for kind in (LineKind.HOURLY, LineKind.USAGE) for service in SERVICES]
    price = dict(zip(kinds, prices, strict=True))
    taxed = {SERVICES[0]}
    lines = [line(kind, service, str(price[kind, service]), tax_class="full" if service in taxed else None)
             for kind, service in kinds]  # fmt: skip
    start = NOVEMBER.start
    inside = [item for item in items if start + timedelta(days=item[2]) in NOVEMBER]
    deliveries = [
        Delivery(record_id=uuid4(), kind=kind, service_id=service, service_name="Work",
                 day=start + timedelta(days=offset), quantity=quantity)
        for kind, service, offset, quantity in inside
    ]  # fmt: skip
    reductions = [percent_off(str(percent)) for percent in discounts] + [cents_off(off)]
    invoice = draft(lines, deliveries, reductions, {"full": str(tax)})

    gross = {key: sum((q for k, s, _, q in inside if (k, s) == key), Fraction()) * price[key] for key in kinds}
    share = max(Fraction(), 1 - sum(discounts) / 100)
    left = sum(gross.values()) * share
    factor = share * (1 - min(Fraction(off), left) / left) if left else Fraction()
    charged = any(quantity for *_, quantity in inside)
    subtotal = math.ceil(sum(gross.values()) * factor) if charged else -off
    taxes = math.ceil(sum(amount for (_, service), amount in gross.items() if service in taxed) * factor * tax / 100)
    assert (invoice.subtotal, invoice.tax) == (subtotal, taxes)
    assert sum(entry.net_amount for entry in invoice.lines) == invoice.subtotal
    assert sum(entry.tax_amount for entry in invoice.lines) == invoice.tax


def test_money_is_written_for_people() -> None:
    assert format_money(123456, "USD") == "USD 1,234.56"
    assert format_money(-5, "EUR") == "EUR -0.05"
    assert format_money(0, "GBP") == "GBP 0.00"
    assert format_money(-123456, "JPY") == "JPY -123,456"
    assert format_money(1234567, "KWD") == "KWD 1,234.567"
    assert format_number(Fraction("8.875")) == "8.875"
    assert format_number(Fraction(1200)) == "1,200"
    assert str(as_decimal(Fraction(1, 3))) == "0.333333"
    assert round_up(Fraction(-1, 2)) == 0
