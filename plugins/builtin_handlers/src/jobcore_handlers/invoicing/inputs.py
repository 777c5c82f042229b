"""What a period is billed from, loaded from the database and turned into the values of `billing.records`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from jobcore_handlers.billing.periods import Period
from jobcore_handlers.billing.records import BillingInput, ContractLine, Delivery, Discount, LineKind, TaxRate
from jobcore_handlers.statements import Statements


@dataclass(frozen=True, slots=True)
class LoadedInput:
    """The input of an invoice, and the time that must wait for the next one."""

    billing: BillingInput
    unapproved_time: tuple[UUID, ...]


async def load_input(
    statements: Statements, tenant: UUID, client: UUID, period: Period, tax_region: str | None
) -> LoadedInput:
    """Load a client's lines, discounts, taxes and unbilled work of a period; the work is locked."""
    span = {"tenant": tenant, "client": client, "start": period.start, "end": period.end}
    validity = {"tenant": tenant, "client": client, "last_day": period.last_day}
    lines = await statements.all("list_contract_lines", _LineRow, tenant=tenant, client=client, end=period.end)
    time = await statements.all("lock_time_entries", _TimeRow, **span)
    usage = await statements.all("lock_usage", _UsageRow, **span)
    discounts = await statements.all("list_discounts", _DiscountRow, **validity)
    rates = await statements.all("list_tax_rates", _TaxRow, **validity)
    approved = [entry.as_delivery() for entry in time if entry.is_approved]
    billing = BillingInput(
        lines=tuple(row.as_line() for row in lines),
        deliveries=(*approved, *(row.as_delivery() for row in usage)),
        discounts=tuple(row.as_discount() for row in discounts),
        tax_rates=tuple(row.as_rate() for row in rates),
        tax_region=tax_region,
    )
    return LoadedInput(billing, _unapproved(time))


def _unapproved(time: Sequence[_TimeRow]) -> tuple[UUID, ...]:
    return tuple(entry.entry_id for entry in time if not entry.is_approved)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LineRow:
    contract_line_id: UUID
    kind: str
    quantity: Decimal
    rate: Decimal | None
    service_id: UUID
    service_name: str
    unit: str
    tax_class: str | None
    contract_name: str
    start_date: date
    end_date: date | None

    def as_line(self) -> ContractLine:
        return ContractLine(
            line_id=self.contract_line_id,
            contract_name=self.contract_name,
            kind=LineKind(self.kind),
            service_id=self.service_id,
            service_name=self.service_name,
            unit=self.unit,
            quantity=Fraction(self.quantity),
            rate=None if self.rate is None else Fraction(self.rate),
            tax_class=self.tax_class,
            starts=self.start_date,
            ends=self.end_date,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _TimeRow:
    entry_id: UUID
    work_date: date
    billable_minutes: int
    is_approved: bool
    service_id: UUID
    service_name: str

    def as_delivery(self) -> Delivery:
        return Delivery(
            record_id=self.entry_id,
            kind=LineKind.HOURLY,
            service_id=self.service_id,
            service_name=self.service_name,
            day=self.work_date,
            quantity=Fraction(self.billable_minutes, 60),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _UsageRow:
    usage_id: UUID
    usage_date: date
    quantity: Decimal
    service_id: UUID
    service_name: str

    def as_delivery(self) -> Delivery:
        return Delivery(
            record_id=self.usage_id,
            kind=LineKind.USAGE,
            service_id=self.service_id,
            service_name=self.service_name,
            day=self.usage_date,
            quantity=Fraction(self.quantity),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _DiscountRow:
    discount_id: UUID
    name: str
    percent: Decimal | None
    amount: int | None
    service_id: UUID | None

    def as_discount(self) -> Discount:
        percent = None if self.percent is None else Fraction(self.percent)
        return Discount(
            discount_id=self.discount_id,
            name=self.name,
            service_id=self.service_id,
            percent=percent,
            amount=self.amount,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _TaxRow:
    tax_rate_id: UUID
    region: str
    tax_class: str
    percent: Decimal

    def as_rate(self) -> TaxRate:
        return TaxRate(
            tax_rate_id=self.tax_rate_id, region=self.region, tax_class=self.tax_class, percent=Fraction(self.percent)
        )
