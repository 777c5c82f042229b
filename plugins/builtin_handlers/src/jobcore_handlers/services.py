"""What the handlers ask `ctx.services` for, as the settings want it. Each is made when a handler first asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jobcore.app.facade import JobApp
from jobcore_handlers.calendars.services import offer_calendars
from jobcore_handlers.files import FileStore
from jobcore_handlers.files.chosen import file_store
from jobcore_handlers.imports.limits import ImportLimits
from jobcore_handlers.invoice_mail.links import InvoiceLinks, PatternLinks
from jobcore_handlers.mailing import MailSender
from jobcore_handlers.mailing.address import ApplicationAddress
from jobcore_handlers.printing.renderer import InvoiceRenderer
from jobcore_handlers.settings import HandlerSettings
from jobcore_handlers.tenancy import SystemDatabase, TenantJobs
from jobcore_handlers.webhooks import configured as webhooks
from jobcore_handlers.webhooks.delivery import Deliverer
from jobcore_handlers.webhooks.keys import PublishedKeys
from jobcore_handlers.webhooks.secrets import SecretVault
from jobcore_handlers.webhooks.signing import WebhookSigner


def offer_services(app: JobApp, settings: HandlerSettings) -> None:
    """Provide each service that the application does not bring."""
    for kind, make in _services(app, settings).items():
        if kind not in app.services:
            app.services.provide(kind, make)
    offer_calendars(app.services, settings.calendars)


def _services(app: JobApp, settings: HandlerSettings) -> Mapping[type[Any], Callable[[], Any]]:
    return {
        ApplicationAddress: lambda: ApplicationAddress(settings.app_url),
        Deliverer: lambda: webhooks.deliverer(settings),
        FileStore: lambda: file_store(settings),
        ImportLimits: lambda: settings.imports,
        InvoiceLinks: lambda: PatternLinks(settings.payment_url, settings.portal_url),
        InvoiceRenderer: lambda: _pdf_renderer(settings),
        MailSender: lambda: _mail_sender(settings),
        PublishedKeys: lambda: webhooks.published_keys(settings),
        SecretVault: lambda: webhooks.secret_vault(settings),
        SystemDatabase: lambda: SystemDatabase(app),
        TenantJobs: lambda: TenantJobs(app),
        WebhookSigner: lambda: webhooks.signer(settings),
    }


def _pdf_renderer(settings: HandlerSettings) -> InvoiceRenderer:
    from jobcore_handlers.printing.pdf import PdfInvoiceRenderer

    return PdfInvoiceRenderer(settings.invoice_font, settings.invoice_font_bold)


def _mail_sender(settings: HandlerSettings) -> MailSender:
    from jobcore_handlers.mailing.smtp import SmtpMailSender

    return SmtpMailSender(settings)
