"""What an invoice is reckoned from: contract lines, delivered work, discounts and tax rates.

Rates are cents for a unit (a month, an hour, or the unit that a service is counted in) and may have a fraction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from uuid import UUID


class LineKind(StrEnum):
    """What a contract line charges for."""

    FIXED = "fixed"
    """A fee for each month, due on the month's first day."""
    HOURLY = "hourly"
    """Approved time, by the hour."""
    USAGE = "usage"
    """What was used, by the service's unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractLine:
    """One service that a client's contract covers, in the order in which lines are charged and printed."""

    line_id: UUID
    contract_name: str
    kind: LineKind
    service_id: UUID
    service_name: str
    unit: str
    quantity: Fraction
    """How many a month; 1 for hourly and usage lines."""
    rate: Fraction | None
    """The line's own rate, else the service's."""
    tax_class: str | None
    """`None`: the service is not taxable."""
    starts: date
    ends: date | None
    """The day after the contract's last one."""

    def covers(self, day: date) -> bool:
        """Whether the contract was in force on `day`."""
        return self.starts <= day and (self.ends is None or day < self.ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Work or use that is to be billed: a time entry or a usage record."""

    record_id: UUID
    kind: LineKind
    service_id: UUID
    service_name: str
    day: date
    """When it was delivered; decides which contract covers it."""
    quantity: Fraction
    """Hours, or the service's units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """A reduction: either a percentage of what it covers, or a fixed amount."""

    discount_id: UUID
    name: str
    service_id: UUID | None
    """`None`: all services."""
    percent: Fraction | None = None
    amount: int | None = None
    """Cents, each billing cycle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRate:
    """The percentage that a region takes of one class of services."""

    tax_rate_id: UUID
    region: str
    tax_class: str
    percent: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingInput:
    """Everything that decides what one client pays for one period."""

    lines: tuple[ContractLine, ...]
    deliveries: tuple[Delivery, ...]
    discounts: tuple[Discount, ...]
    tax_rates: tuple[TaxRate, ...]
    tax_region: str | None
    """`None`: the client pays no tax."""
