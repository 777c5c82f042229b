"""An invoice as reckoned: lines in whole cents that add up to a subtotal and a tax, each rounded up once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from jobcore_handlers.billing.charges import Charge, compute_charges
from jobcore_handlers.billing.discounts import AppliedDiscount, apply_discounts
from jobcore_handlers.billing.money import apportion, format_number
from jobcore_handlers.billing.periods import Period
from jobcore_handlers.billing.records import BillingInput, LineKind
from jobcore_handlers.billing.taxes import Tax, compute_taxes


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """One row of `billing.invoice_charges`; a discount has a negative amount and no service rate."""

    description: str
    quantity: Fraction
    rate: Fraction | None
    net_amount: int
    tax_amount: int
    unit: str
    service_id: UUID | None = None
    contract_line_id: UUID | None = None
    discount_id: UUID | None = None
    tax_rate_id: UUID | None = None
    tax_percent: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceDraft:
    """What a client owes for one period, in whole cents."""

    period: Period
    lines: tuple[InvoiceLine, ...]
    subtotal: int
    tax: int
    billed_time: tuple[UUID, ...]
    billed_usage: tuple[UUID, ...]
    not_covered: int
    """How many time entries and usage records no contract line covers."""

    @property
    def total(self) -> int:
        return self.subtotal + self.tax

    @property
    def is_empty(self) -> bool:
        """Whether nothing was charged and nothing is owed."""
        return not self.has_charges and self.total == 0

    @property
    def has_charges(self) -> bool:
        return any(line.discount_id is None for line in self.lines)


def draft_invoice(period: Period, billing: BillingInput) -> InvoiceDraft:
    """Reckon the invoice of a period.

    Raises:
        RateMissingError: if a charged service has no rate.
        TaxRateMissingError: if a taxable service has no tax rate.
    """
    charges = compute_charges(period, billing.lines, billing.deliveries)
    discounted = apply_discounts(charges, billing.discounts)
    taxes = compute_taxes(charges, discounted.net, billing.tax_rates, billing.tax_region, period.last_day)
    lines = _lines(charges, discounted.applied, taxes)
    billed = {record for charge in charges for record in charge.deliveries}
    return InvoiceDraft(
        period=period,
        lines=lines,
        subtotal=sum(line.net_amount for line in lines),
        tax=sum(line.tax_amount for line in lines),
        billed_time=_billed(charges, LineKind.HOURLY),
        billed_usage=_billed(charges, LineKind.USAGE),
        not_covered=sum(1 for work in billing.deliveries if work.quantity and work.record_id not in billed),
    )


def _lines(charges: list[Charge], discounts: tuple[AppliedDiscount, ...], taxes: list[Tax]) -> tuple[InvoiceLine, ...]:
    amounts = apportion([charge.amount for charge in charges] + [-applied.amount for applied in discounts])
    tax_amounts = apportion([tax.amount for tax in taxes])
    charged = [
        _charge_line(charge, amount, tax, tax_amount)
        for charge, amount, tax, tax_amount in zip(charges, amounts, taxes, tax_amounts, strict=False)
    ]
    reduced = [
        _discount_line(applied, amount) for applied, amount in zip(discounts, amounts[len(charges) :], strict=True)
    ]
    return (*charged, *reduced)


def _charge_line(charge: Charge, amount: int, tax: Tax, tax_amount: int) -> InvoiceLine:
    return InvoiceLine(
        description=charge.description,
        quantity=charge.quantity,
        rate=charge.rate,
        net_amount=amount,
        tax_amount=tax_amount,
        unit=charge.line.unit,
        service_id=charge.line.service_id,
        contract_line_id=charge.line.line_id,
        tax_rate_id=None if tax.rate is None else tax.rate.tax_rate_id,
        tax_percent=None if tax.rate is None else tax.rate.percent,
    )


def _discount_line(applied: AppliedDiscount, amount: int) -> InvoiceLine:
    discount = applied.discount
    percent = "" if discount.percent is None else f" ({format_number(discount.percent)}%)"
    return InvoiceLine(
        description=f"Discount: {discount.name}{percent}",
        quantity=Fraction(1),
        rate=None,
        net_amount=amount,
        tax_amount=0,
        unit="",
        service_id=discount.service_id,
        discount_id=discount.discount_id,
    )


def _billed(charges: Iterable[Charge], kind: LineKind) -> tuple[UUID, ...]:
    return tuple(record for charge in charges if charge.line.kind is kind for record in charge.deliveries)
