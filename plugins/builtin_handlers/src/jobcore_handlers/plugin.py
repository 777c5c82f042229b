"""The entry module: names the handlers, and gives an application the services that they need.

It imports a handler only when the hook is called, so that looking at the plugin loads no driver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobcore.plugins.hooks import hookimpl

if TYPE_CHECKING:
    from jobcore import JobHandlerRegistry

SECTION = "builtin"
"""The section of the settings, which is the name of the entry point."""


@hookimpl
def jobcore_register_handlers(registry: JobHandlerRegistry) -> None:
    """Register the business handlers."""
    from jobcore_handlers.bundles.handler import invoice_zip
    from jobcore_handlers.invoicing.handler import generate_invoice

    registry.register(generate_invoice)
    registry.register(invoice_zip)


@hookimpl
def jobcore_app_configured(app: Any) -> None:
    """Add a file store and a renderer of invoices to the application's services, where it has none of its own."""
    from jobcore_handlers.files import DirectoryFileStore, FileStore
    from jobcore_handlers.printing import InvoiceRenderer, PdfInvoiceRenderer
    from jobcore_handlers.settings import HandlerSettings

    if FileStore not in app.services:
        settings = app.settings.section(SECTION, HandlerSettings)
        app.services.add(DirectoryFileStore(settings.files), FileStore)
    if InvoiceRenderer not in app.services:
        app.services.add(PdfInvoiceRenderer(), InvoiceRenderer)
