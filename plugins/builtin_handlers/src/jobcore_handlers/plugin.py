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
    from jobcore_handlers.settings import HandlerSettings
    from jobcore_handlers.webhooks.signing import WebhookSigner

SECTION = "builtin"
"""The section of the settings, which is the name of the entry point."""


@hookimpl
def jobcore_register_handlers(registry: JobHandlerRegistry) -> None:
    """Register the business handlers."""
    from jobcore_handlers.bundles.handler import invoice_zip
    from jobcore_handlers.invoicing.handler import generate_invoice
    from jobcore_handlers.webhooks.handler import send_webhook

    registry.register(generate_invoice)
    registry.register(invoice_zip)
    registry.register(send_webhook)


@hookimpl
def jobcore_app_configured(app: JobApp) -> None:
    """Offer to handlers what they need, where the application has none of its own: a file store, a renderer of
    invoices, a sender and a signer of webhooks.

    They are made when a handler first asks.
    """
    from jobcore_handlers.files import DirectoryFileStore, FileStore
    from jobcore_handlers.printing.renderer import InvoiceRenderer
    from jobcore_handlers.settings import HandlerSettings
    from jobcore_handlers.webhooks.delivery import Deliverer
    from jobcore_handlers.webhooks.signing import WebhookSigner

    settings = app.settings.section(SECTION, HandlerSettings)
    if FileStore not in app.services:
        app.services.provide(FileStore, lambda: DirectoryFileStore(settings.files))
    if InvoiceRenderer not in app.services:
        app.services.provide(InvoiceRenderer, _pdf_renderer)
    if Deliverer not in app.services:
        app.services.provide(Deliverer, lambda: Deliverer(allow_http=settings.webhook_allow_http))
    if WebhookSigner not in app.services:
        app.services.provide(WebhookSigner, lambda: _signer(settings))


def _pdf_renderer() -> InvoiceRenderer:
    from jobcore_handlers.printing.pdf import PdfInvoiceRenderer

    return PdfInvoiceRenderer()


def _signer(settings: HandlerSettings) -> WebhookSigner:
    from jobcore.errors import ConfigurationError
    from jobcore_handlers.webhooks.signing import WebhookSigner

    if settings.webhook_key is None:
        raise ConfigurationError(
            "Webhooks are signed, and no key is configured: set JOBCORE_BUILTIN__WEBHOOK_KEY to the path of an RSA key "
            "of at least 3072 bits in PEM form (docs/how-to/send-webhooks.md)."
        )
    return WebhookSigner.from_file(settings.webhook_key, settings.webhook_key_id)
