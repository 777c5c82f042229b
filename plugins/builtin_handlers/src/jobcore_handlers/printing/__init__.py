"""Invoices on paper: what is printed, the port of renderers, and the one that makes PDF files."""

from jobcore_handlers.printing.renderer import InvoiceRenderer
from jobcore_handlers.printing.sheet import InvoiceSheet, Party, SheetLine, TaxLine

__all__ = ["InvoiceRenderer", "InvoiceSheet", "Party", "SheetLine", "TaxLine"]
