"""When an invoice is due."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum


class PaymentTerms(StrEnum):
    """How long a client has to pay."""

    DUE_ON_RECEIPT = "due_on_receipt"
    NET_7 = "net_7"
    NET_15 = "net_15"
    NET_30 = "net_30"
    NET_45 = "net_45"
    NET_60 = "net_60"

    def due_date(self, invoice_date: date) -> date:
        """Return the last day on which a payment is in time."""
        days = 0 if self is PaymentTerms.DUE_ON_RECEIPT else int(self.removeprefix("net_"))
        return invoice_date + timedelta(days=days)


class ZeroInvoiceHandling(StrEnum):
    """What to do when a cycle has neither charges nor an amount."""

    NORMAL = "normal"
    """Make a draft over nothing."""
    SUPPRESS = "suppress"
    """Make no invoice."""
    FINALIZED = "finalized"
    """Make an invoice over nothing that is final at once."""
