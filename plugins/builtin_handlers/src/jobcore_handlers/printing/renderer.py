"""The port of whatever turns an invoice into a file."""

from __future__ import annotations

from abc import ABC, abstractmethod

from jobcore_handlers.printing.sheet import InvoiceSheet


class InvoiceRenderer(ABC):
    """Makes a file of an invoice. Register another with the application's services, as `InvoiceRenderer`."""

    mime_type: str
    extension: str
    """With its dot: `.pdf`."""

    @abstractmethod
    async def render(self, sheet: InvoiceSheet) -> bytes:
        """Return the file. The same sheet gives the same bytes; the event loop is not blocked."""
