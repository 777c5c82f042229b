"""The entry module: names the handlers, and gives an application the services that they need.

It imports a handler only when the hook is called, so that looking at the plugin loads no driver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobcore.plugins.hooks import hookimpl

if TYPE_CHECKING:
    from jobcore import JobHandlerRegistry
    from jobcore.app.facade import JobApp
    from jobcore_handlers.printing.renderer import InvoiceRenderer

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
def jobcore_app_configured(app: JobApp) -> None:
    """Offer a file store and a renderer of invoices to handlers, where the application has none of its own.

    They are made when a handler first asks.
    """
    from jobcore_handlers.files import DirectoryFileStore, FileStore
    from jobcore_handlers.printing.renderer import InvoiceRenderer
    from jobcore_handlers.settings import HandlerSettings

    settings = app.settings.section(SECTION, HandlerSettings)
    if FileStore not in app.services:
        app.services.provide(FileStore, lambda: DirectoryFileStore(settings.files))
    if InvoiceRenderer not in app.services:
        app.services.provide(InvoiceRenderer, _pdf_renderer)


def _pdf_renderer() -> InvoiceRenderer:
    from jobcore_handlers.printing.pdf import PdfInvoiceRenderer

    return PdfInvoiceRenderer()
