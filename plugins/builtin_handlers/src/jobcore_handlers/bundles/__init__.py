"""J02: put the PDF files of many invoices into one archive."""

from jobcore_handlers.bundles.payload import BundleStep, InvoiceZip
from jobcore_handlers.bundles.request import BILLING_READ, request_bundle

__all__ = ["BILLING_READ", "BundleStep", "InvoiceZip", "request_bundle"]
