"""Why invoices were not sent. Clients are named by their ids."""

from __future__ import annotations

from uuid import UUID

from jobcore.errors import NonRetryableError
from jobcore_handlers.errors import BillingError
from jobcore_handlers.mailing.errors import MailError


class NoInvoicesToSendError(BillingError, ValueError):
    """A mailing of no invoices was asked for."""

    def __init__(self) -> None:
        super().__init__("Select at least one invoice to send.")


class NoRecipientError(MailError, NonRetryableError):
    """Nothing that is known of a client says where its invoices go."""

    def __init__(self, client: UUID, number: str) -> None:
        super().__init__(
            f"No valid email address found for client {client} (Invoice #{number}). Give it an active billing contact, "
            "a billing address, or a location with an address, then retry the job."
        )


class InvoiceNotSentError(MailError):
    """An invoice's mail was not taken."""

    def __init__(self, reason: MailError) -> None:
        super().__init__(f"Failed to send invoice email: {reason}")
        self._reason = reason

    @property
    def is_passing(self) -> bool:
        return self._reason.is_passing


class InvoicesNotSentError(BillingError):
    """Some invoices of a job were not sent; its next attempt sends these only."""

    def __init__(self, failed: int, asked: int, first: str) -> None:
        super().__init__(f"{failed} of {asked} invoices were not sent; the details of each say why. The first: {first}")


class InvoicesRefusedError(InvoicesNotSentError, NonRetryableError):
    """None of the invoices that were not sent would be sent by another attempt."""
