"""The errors that the billing handlers raise on purpose.

The texts are those of the founding documents, to the letter, because people and programs look for them. What the text
does not say (which cycle, which invoice, what to do) stands in the exception's notes, which tracebacks and logs show.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self
from uuid import UUID

from jobcore.errors import JobcoreError, NonRetryableError


class BillingError(JobcoreError):
    """The root of what can go wrong while a client is billed."""


class BillingRefusedError(BillingError, NonRetryableError):
    """A client cannot be billed as things stand; trying again without a change would end the same way."""


class FixedTextError(BillingRefusedError):
    """A refusal whose text the founding documents fix."""

    text: ClassVar[str]

    @classmethod
    def because(cls, note: str) -> Self:
        """Return the refusal, with `note` saying which thing is at fault and what to do about it."""
        error = cls(cls.text)
        error.add_note(note)
        return error


class BillingCycleNotFoundError(FixedTextError):
    """The payload names a cycle that the client does not have."""

    text = "Billing cycle not found"


class InvalidBillingCycleError(FixedTextError):
    """A cycle's dates do not make a period."""

    text = "Invalid billing cycle dates"


class CycleAlreadyBilledError(FixedTextError):
    """The cycle has its invoice already."""

    text = "No active contract lines for this period"


class BillingSettingsMissingError(FixedTextError):
    """Neither the client nor the tenant has billing settings."""

    text = "No billing settings found"


class NothingToBillError(FixedTextError):
    """There is no charge, and yet an amount: a fixed discount that stands alone."""

    text = "Nothing to bill"


class PurchaseOrderMissingError(BillingRefusedError):
    """An active contract needs a purchase order number and has none."""

    def __init__(self, contract: str) -> None:
        super().__init__(
            f"Contract {contract!r} requires a purchase order number and has none. "
            "Enter the number on the contract, then retry the job."
        )


class RateMissingError(BillingRefusedError):
    """A service was delivered that has no price."""

    def __init__(self, service: str) -> None:
        super().__init__(
            f"Service {service!r} has no rate. Set one on its contract line or on the service, then retry the job."
        )


class TaxRateMissingError(BillingRefusedError):
    """A taxable service was delivered where no tax rate is valid."""

    def __init__(self, service: str, region: str, tax_class: str, on: str) -> None:
        super().__init__(
            f"Service {service!r} is taxable, but no {tax_class!r} tax rate of region {region!r} is valid on {on}. "
            "Add the rate, or mark the client as tax exempt, then retry the job."
        )


class UnknownCadenceError(BillingRefusedError):
    """A client is to be billed at intervals that there are not."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"{name[:40]!r} is no billing cycle; a client has one of {', '.join(known)}.")


class InvoiceNumberError(BillingError):
    """Every number that was tried for an invoice is taken."""

    def __init__(self, tried: list[str]) -> None:
        super().__init__(
            f"Invoice numbers {', '.join(tried)} are all taken. "
            "Raise billing.numbering.last_number of the tenant above the highest number in use, then retry the job."
        )


class InvoiceNotFoundError(BillingError):
    """No invoice of the tenant has this id."""

    def __init__(self, invoice_id: UUID) -> None:
        super().__init__(f"Invoice {invoice_id} not found")


class InvoiceNotPrintableError(BillingError, NonRetryableError):
    """An invoice holds text that the renderer cannot set; `InvoiceRenderer` of one's own may."""

    @classmethod
    def because_of_characters(cls, missing: Sequence[str]) -> Self:
        named = ", ".join(f"{char} (U+{ord(char):04X})" for char in missing[:10])
        return cls(
            f"No font of the renderer has {named}{' and others' if len(missing) > 10 else ''}. Set "
            "JOBCORE_BUILTIN__INVOICE_FONT to the file of a TrueType font that has them, such as DejaVuSans.ttf, and "
            "JOBCORE_BUILTIN__INVOICE_FONT_BOLD to its bold one, then retry the job."
        )

    @classmethod
    def because_of_direction(cls) -> Self:
        return cls(
            "The invoice holds text that is written from right to left, which the renderer cannot set. Register an "
            "InvoiceRenderer of your own with the application's services, then retry the job."
        )


class TenantRequiredError(BillingRefusedError):
    """A job that works for one customer was enqueued for the system."""

    def __init__(self, job: str) -> None:
        super().__init__(f"Tenant ID is required for {job} job")


class ClientNotFoundError(BillingRefusedError):
    """No client of the tenant has this id."""

    def __init__(self, client_id: UUID) -> None:
        super().__init__(f"Client {client_id} not found")


class BucketConfigurationMissingError(BillingError):
    """A bucket is used of which nobody said how much it holds."""

    def __init__(self, usage_id: UUID, contract_line_id: UUID) -> None:
        super().__init__(
            f"Bucket usage {usage_id}: contract line {contract_line_id} has no bucket configuration. "
            "Add its row to billing.bucket_configurations; the next run counts it."
        )


class FileStoreError(JobcoreError):
    """A file cannot be stored or read."""


class UnsafeFileKeyError(FileStoreError, ValueError):
    """A storage key points out of its store."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"Storage key {key[:120]!r} is not one that this store gives out; nothing was read or written."
        )


class StoredFileMissingError(FileStoreError, FileNotFoundError):
    """The store holds no file of this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"The file store holds no file {key!r}.")


class BundleError(JobcoreError):
    """An archive of invoices cannot be made."""


class JobServiceIdMissingError(BundleError, NonRetryableError):
    """The payload of a bundle does not name its job record."""

    def __init__(self) -> None:
        super().__init__("jobServiceId is required in job data")


class EmptyBundleError(BundleError):
    """None of the files to be archived exists."""

    def __init__(self) -> None:
        super().__init__("No files were successfully added to the zip")


class BundleFailedError(BundleError):
    """A bundle was begun and could not be finished; `__cause__` is the reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Failed to create invoice bundle: {reason}")


class BundleRefusedError(BundleFailedError, NonRetryableError):
    """A bundle cannot be made as things stand; another attempt would end the same way."""


class NoInvoicesSelectedError(BundleError, ValueError):
    """A bundle of no invoices was asked for."""

    def __init__(self) -> None:
        super().__init__("Select at least one invoice to generate PDFs.")


class PermissionMissingError(JobcoreError, PermissionError):
    """The user may not do this."""

    def __init__(self, permission: str) -> None:
        super().__init__(f"This needs the permission {permission!r}; ask an administrator of the tenant for it.")


class FanOutRefusedError(NonRetryableError):
    """No tenant can have a job of this kind with this payload; `__cause__` is the reason."""

    def __init__(self, handler: str, reason: Exception) -> None:
        super().__init__(f"{handler!r} cannot be enqueued for every tenant: {reason}")
