"""From the rows of an invoice to the sheet that is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from jobcore_handlers.errors import InvoiceNotFoundError
from jobcore_handlers.printing.sheet import InvoiceSheet, Party, SheetLine, TaxLine
from jobcore_handlers.statements import Connection, Statements


@dataclass(frozen=True, slots=True)
class LoadedInvoice:
    """A sheet, and whose invoice it is."""

    invoice_id: UUID
    client_id: UUID
    sheet: InvoiceSheet


async def load_sheet(connection: Connection, tenant: UUID, invoice_id: UUID) -> LoadedInvoice:
    """Load an invoice of a tenant.

    Raises:
        InvoiceNotFoundError: if the tenant has no such invoice.
    """
    statements = Statements("printing", connection)
    row = await statements.first("get_invoice", _InvoiceRow, tenant=tenant, invoice=invoice_id)
    if row is None:
        raise InvoiceNotFoundError(invoice_id)
    charges = await statements.all("list_charges", _ChargeRow, tenant=tenant, invoice=invoice_id)
    return LoadedInvoice(invoice_id, row.client_id, row.as_sheet(charges))


@dataclass(frozen=True, slots=True, kw_only=True)
class _ChargeRow:
    description: str
    quantity: Decimal
    unit: str
    rate: Decimal | None
    net_amount: int
    tax_percent: Decimal | None
    tax_amount: int

    def as_line(self) -> SheetLine:
        return SheetLine(
            description=self.description,
            quantity=self.quantity,
            unit=self.unit,
            rate=self.rate,
            net_amount=self.net_amount,
            tax_percent=self.tax_percent,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _InvoiceRow:
    invoice_id: UUID
    invoice_number: str
    status: str
    currency: str
    invoice_date: date
    due_date: date
    billing_period_start: date | None
    billing_period_end: date | None
    po_number: str | None
    subtotal: int
    tax: int
    total: int
    credit_applied: int
    client_id: UUID
    client_name: str
    client_street: str
    client_city: str
    client_country: str
    client_email: str | None
    seller_name: str
    seller_street: str
    seller_city: str
    seller_country: str
    seller_email: str | None
    seller_tax_number: str | None

    def as_sheet(self, charges: Sequence[_ChargeRow]) -> InvoiceSheet:
        end = self.billing_period_end
        return InvoiceSheet(
            number=self.invoice_number,
            is_draft=self.status == "draft",
            invoice_date=self.invoice_date,
            due_date=self.due_date,
            period_start=self.billing_period_start,
            period_last_day=None if end is None else end - timedelta(days=1),
            po_number=self.po_number,
            currency=self.currency,
            seller=self._seller(),
            client=self._client(),
            lines=tuple(charge.as_line() for charge in charges),
            taxes=_tax_lines(charges),
            subtotal=self.subtotal,
            tax=self.tax,
            total=self.total,
            credit_applied=self.credit_applied,
        )

    def _seller(self) -> Party:
        return Party(
            name=self.seller_name,
            street=self.seller_street,
            city=self.seller_city,
            country=self.seller_country,
            email=self.seller_email,
            tax_number=self.seller_tax_number,
        )

    def _client(self) -> Party:
        return Party(
            name=self.client_name,
            street=self.client_street,
            city=self.client_city,
            country=self.client_country,
            email=self.client_email,
        )


def _tax_lines(charges: Sequence[_ChargeRow]) -> tuple[TaxLine, ...]:
    amounts: dict[Decimal, int] = {}
    for charge in charges:
        if charge.tax_percent is not None:
            amounts[charge.tax_percent] = amounts.get(charge.tax_percent, 0) + charge.tax_amount
    return tuple(TaxLine(percent=percent, amount=amount) for percent, amount in sorted(amounts.items(), reverse=True))
