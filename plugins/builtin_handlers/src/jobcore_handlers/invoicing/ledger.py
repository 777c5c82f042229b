"""Writing an invoice: its row, its lines, its entry in the ledger, and the marks on what it bills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from jobcore_handlers.billing.invoice import InvoiceDraft, InvoiceLine
from jobcore_handlers.billing.money import as_decimal
from jobcore_handlers.invoicing.numbers import insert_numbered
from jobcore_handlers.statements import Statements


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvoice:
    """An invoice about to be written: all but its number."""

    tenant: UUID
    invoice_id: UUID
    client: UUID
    cycle: UUID
    status: str
    currency: str
    po_number: str | None
    invoice_date: date
    due_date: date
    user: UUID
    job: UUID
    draft: InvoiceDraft


async def write_invoice(statements: Statements, invoice: NewInvoice) -> str:
    """Write an invoice and return its number.

    Raises:
        InvoiceNumberError: if no number is free.
    """
    number = await _insert_numbered(statements, invoice)
    key = {"tenant": invoice.tenant, "invoice": invoice.invoice_id}
    async with statements.connection.pipeline():  # one round trip: the tenant's other invoices wait for a number
        await _insert_lines(statements, key, invoice.draft.lines)
        await statements.run("enter_in_ledger", **key, client=invoice.client, total=invoice.draft.total, number=number)
        await _mark(statements, "mark_time_billed", key, invoice.draft.billed_time)
        await _mark(statements, "mark_usage_billed", key, invoice.draft.billed_usage)
    return number


async def roll_forward(statements: Statements, tenant: UUID, entries: Sequence[UUID], next_start: date) -> None:
    """Move time that is not yet approved to the period that begins on `next_start`."""
    if entries:
        await statements.run("roll_time_forward", tenant=tenant, records=list(entries), next_start=next_start)


async def _insert_numbered(statements: Statements, invoice: NewInvoice) -> str:
    draft = invoice.draft
    return await insert_numbered(
        statements,
        tenant=invoice.tenant,
        invoice=invoice.invoice_id,
        client=invoice.client,
        status=invoice.status,
        currency=invoice.currency,
        invoice_date=invoice.invoice_date,
        due_date=invoice.due_date,
        cycle=invoice.cycle,
        start=draft.period.start,
        end=draft.period.end,
        po_number=invoice.po_number,
        subtotal=draft.subtotal,
        tax=draft.tax,
        user=invoice.user,
        job=invoice.job,
    )


async def _insert_lines(statements: Statements, key: dict[str, UUID], lines: Sequence[InvoiceLine]) -> None:
    if lines:
        rows = [{**key, "position": position, **_line_values(line)} for position, line in enumerate(lines, start=1)]
        await statements.run_each("insert_charge", rows)


def _line_values(line: InvoiceLine) -> dict[str, Any]:
    return {
        "description": line.description,
        "unit": line.unit,
        "service": line.service_id,
        "contract_line": line.contract_line_id,
        "discount": line.discount_id,
        "quantity": as_decimal(line.quantity),
        "rate": None if line.rate is None else as_decimal(line.rate),
        "net_amount": line.net_amount,
        "tax_rate": line.tax_rate_id,
        "tax_percent": None if line.tax_percent is None else as_decimal(line.tax_percent),
        "tax_amount": line.tax_amount,
    }


async def _mark(statements: Statements, name: str, key: dict[str, UUID], records: Sequence[UUID]) -> None:
    if records:
        await statements.run(name, **key, records=list(records))
