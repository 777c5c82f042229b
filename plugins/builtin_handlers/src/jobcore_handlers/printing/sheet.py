"""What stands on a printed invoice. Amounts are cents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who bills or is billed, as the lines of an address; empty ones are left out."""

    name: str
    street: str = ""
    city: str = ""
    country: str = ""
    email: str | None = None
    tax_number: str | None = None

    @property
    def address(self) -> tuple[str, ...]:
        return tuple(line for line in (self.street, self.city, self.country) if line)


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetLine:
    """One line of the table."""

    description: str
    quantity: Decimal
    unit: str
    rate: Decimal | None
    """Cents for a unit; `None` on discounts."""
    net_amount: int
    tax_percent: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxLine:
    """The tax at one rate."""

    percent: Decimal
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceSheet:
    """An invoice, ready to be printed."""

    number: str
    is_draft: bool
    invoice_date: date
    due_date: date
    period_start: date | None
    period_last_day: date | None
    po_number: str | None
    currency: str
    seller: Party
    client: Party
    lines: tuple[SheetLine, ...]
    taxes: tuple[TaxLine, ...]
    subtotal: int
    tax: int
    total: int
    credit_applied: int = 0

    @property
    def amount_due(self) -> int:
        return self.total - self.credit_applied
