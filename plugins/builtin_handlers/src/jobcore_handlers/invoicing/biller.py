"""From a billing cycle to its invoice, within one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from jobcore import JobContext
from jobcore.ids import NO_USER, uuid7
from jobcore_handlers import _logs
from jobcore_handlers.billing.invoice import InvoiceDraft, draft_invoice
from jobcore_handlers.billing.terms import ZeroInvoiceHandling
from jobcore_handlers.errors import BillingCycleNotFoundError, CycleAlreadyBilledError, NothingToBillError
from jobcore_handlers.invoicing.cycle import Cycle, lock_cycle, period_of
from jobcore_handlers.invoicing.inputs import load_input
from jobcore_handlers.invoicing.ledger import NewInvoice, roll_forward, write_invoice
from jobcore_handlers.invoicing.payload import GenerateInvoice
from jobcore_handlers.invoicing.terms import Client, Settings, billing_settings, purchase_order
from jobcore_handlers.statements import Connection, Statements


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledInvoice:
    """The invoice of a cycle; amounts in cents."""

    invoice_id: UUID
    invoice_number: str
    subtotal: int
    tax: int
    total: int
    currency: str
    created_by_job: UUID | None = None

    def as_result(self) -> dict[str, Any]:
        """Return it as the job's result."""
        return {
            "invoiceId": str(self.invoice_id),
            "invoiceNumber": self.invoice_number,
            "subtotal": self.subtotal,
            "tax": self.tax,
            "total": self.total,
            "currency": self.currency,
        }


class Biller:
    """Bills one client for one cycle, for one job."""

    def __init__(self, ctx: JobContext, connection: Connection, data: GenerateInvoice) -> None:
        self._statements = Statements("invoicing", connection)
        self._tenant = ctx.tenant_id
        self._job_id = ctx.job_id
        self._logger = ctx.logger
        self._data = data

    async def bill(self) -> BilledInvoice | None:
        """Write the invoice of the cycle; `None` if there is nothing on it and the settings suppress such invoices.

        A second call for the same job returns the invoice of the first.

        Raises:
            BillingRefusedError: the kind of it says why the cycle cannot be billed.
            InvoiceNumberError: if no number is free.
        """
        tenant, client = self._tenant, self._data.client_id
        cycle = await lock_cycle(self._statements, tenant, client, self._data.billing_cycle_id)
        period = period_of(cycle)
        existing = await self._invoice_of(cycle)
        if existing is not None:
            return existing
        po_number = await purchase_order(self._statements, tenant, client, period)
        party = await self._lock_client()
        loaded = await load_input(self._statements, tenant, client, period, party.tax_region)
        draft = draft_invoice(period, loaded.billing)
        if draft.not_covered:
            _logs.work_not_covered(self._logger, cycle.billing_cycle_id, draft.not_covered)
        settings = await billing_settings(self._statements, tenant, client)
        await roll_forward(self._statements, tenant, loaded.unapproved_time, period.end)
        if self._is_suppressed(draft, settings):
            return None
        return await self._write(draft, party, settings, po_number)

    async def _invoice_of(self, cycle: Cycle) -> BilledInvoice | None:
        invoice = await self._statements.first(
            "find_invoice_of_cycle", BilledInvoice, tenant=self._tenant, cycle=cycle.billing_cycle_id
        )
        if invoice is not None and invoice.created_by_job != self._job_id:
            raise CycleAlreadyBilledError.because(
                f"Billing cycle {cycle.billing_cycle_id} has invoice {invoice.invoice_number} already. "
                "Delete that invoice first if the cycle is to be billed anew."
            )
        return invoice

    async def _lock_client(self) -> Client:
        client = await self._statements.first("lock_client", Client, tenant=self._tenant, client=self._data.client_id)
        if client is None:
            raise BillingCycleNotFoundError.because(f"Client {self._data.client_id} was deleted meanwhile.")
        return client

    def _is_suppressed(self, draft: InvoiceDraft, settings: Settings) -> bool:
        if draft.is_empty:
            return settings.zero_invoices is ZeroInvoiceHandling.SUPPRESS
        if not draft.has_charges:
            raise NothingToBillError.because(
                f"Client {self._data.client_id} has no charge from {draft.period.start} to {draft.period.end} "
                f"(exclusive), but discounts of {-draft.total} cents. End the discount, or bill a longer period."
            )
        return False

    async def _write(
        self, draft: InvoiceDraft, party: Client, settings: Settings, po_number: str | None
    ) -> BilledInvoice:
        is_final = draft.is_empty and settings.zero_invoices is ZeroInvoiceHandling.FINALIZED
        invoice = NewInvoice(
            tenant=self._tenant,
            invoice_id=uuid7(),
            client=self._data.client_id,
            cycle=self._data.billing_cycle_id,
            status="finalized" if is_final else "draft",
            currency=party.currency,
            po_number=po_number,
            invoice_date=settings.today,
            due_date=settings.payment_terms.due_date(settings.today),
            user=self._data.user_id or NO_USER,
            job=self._job_id,
            draft=draft,
        )
        number = await write_invoice(self._statements, invoice)
        return BilledInvoice(
            invoice_id=invoice.invoice_id,
            invoice_number=number,
            subtotal=draft.subtotal,
            tax=draft.tax,
            total=draft.total,
            currency=party.currency,
        )
