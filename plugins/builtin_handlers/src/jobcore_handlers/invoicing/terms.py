"""Under which terms a client is billed: its contracts' purchase orders, and its settings over the tenant's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from jobcore_handlers.billing.periods import Period
from jobcore_handlers.billing.terms import PaymentTerms, ZeroInvoiceHandling
from jobcore_handlers.errors import BillingSettingsMissingError, PurchaseOrderMissingError
from jobcore_handlers.statements import Statements


@dataclass(frozen=True, slots=True)
class Client:
    """Who is billed, in which currency, and whose tax applies (`None`: none)."""

    currency: str
    tax_region: str | None


@dataclass(frozen=True, slots=True)
class Settings:
    """How a client is billed, and on which day."""

    zero_invoices: ZeroInvoiceHandling
    payment_terms: PaymentTerms
    today: date
    """In UTC, by the database's clock."""


@dataclass(frozen=True, slots=True)
class _Contract:
    name: str
    po_required: bool
    po_number: str | None


@dataclass(frozen=True, slots=True)
class _SettingsRow:
    zero_invoices: str
    payment_terms: str
    today: date


async def purchase_order(statements: Statements, tenant: UUID, client: UUID, period: Period) -> str | None:
    """Return the purchase order numbers of the contracts in force, `, ` between them; `None` if there is none.

    Raises:
        PurchaseOrderMissingError: if a contract in force needs a number and has none.
    """
    contracts = await statements.all(
        "list_active_contracts", _Contract, tenant=tenant, client=client, start=period.start, end=period.end
    )
    for contract in contracts:
        if contract.po_required and contract.po_number is None:
            raise PurchaseOrderMissingError(contract.name)
    numbers = dict.fromkeys(contract.po_number for contract in contracts if contract.po_number is not None)
    return ", ".join(numbers) or None


async def billing_settings(statements: Statements, tenant: UUID, client: UUID) -> Settings:
    """Return the client's settings, with the tenant's where it has none of its own.

    Raises:
        BillingSettingsMissingError: if there are neither.
    """
    row = await statements.first("get_settings", _SettingsRow, tenant=tenant, client=client)
    if row is None:
        raise BillingSettingsMissingError.because(
            f"Neither client {client} nor tenant {tenant} has billing settings. "
            "Add a row to billing.default_billing_settings, then retry the job."
        )
    return Settings(ZeroInvoiceHandling(row.zero_invoices), PaymentTerms(row.payment_terms), row.today)
