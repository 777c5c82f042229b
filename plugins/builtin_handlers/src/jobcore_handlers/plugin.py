"""The entry module: names the handlers, and gives an application the services that they need.

It imports a handler only when the hook is called, so that looking at the plugin loads no driver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobcore.plugins.hooks import hookimpl

if TYPE_CHECKING:
    from jobcore import JobHandlerRegistry
    from jobcore.app.facade import JobApp
    from jobcore.plugins.registries import CommandRegistry

SECTION = "builtin"
"""The section of the settings, which is the name of the entry point."""


@hookimpl
def jobcore_register_handlers(registry: JobHandlerRegistry) -> None:
    """Register the business handlers."""
    from jobcore_handlers.buckets.handler import reconcile_bucket_usage
    from jobcore_handlers.bundles.handler import invoice_zip
    from jobcore_handlers.calendars.handler import renew_microsoft_calendar_webhooks, verify_google_calendar_pubsub
    from jobcore_handlers.credit_notices.handler import expiring_credits_notification
    from jobcore_handlers.credits.handler import credit_reconciliation, expired_credits
    from jobcore_handlers.cycles.handler import create_client_contract_line_cycles
    from jobcore_handlers.forms.handler import cleanup_temporary_workflow_forms
    from jobcore_handlers.imports.handler import asset_import
    from jobcore_handlers.invoice_mail.handler import invoice_email
    from jobcore_handlers.invoicing.handler import generate_invoice
    from jobcore_handlers.mailing.handler import process_mail_queue
    from jobcore_handlers.retention.handlers import audit_retention, notifs_cleanup
    from jobcore_handlers.sessions.handler import cleanup_ai_session_keys
    from jobcore_handlers.tenancy.handler import cancel_tenants_jobs, for_each_tenant
    from jobcore_handlers.time_periods.handler import create_next_time_periods
    from jobcore_handlers.webhooks.handler import send_webhook

    for handler in (
        generate_invoice,
        invoice_zip,
        invoice_email,
        expired_credits,
        expiring_credits_notification,
        credit_reconciliation,
        reconcile_bucket_usage,
        asset_import,
        create_client_contract_line_cycles,
        create_next_time_periods,
        process_mail_queue,
        send_webhook,
        renew_microsoft_calendar_webhooks,
        verify_google_calendar_pubsub,
        cleanup_temporary_workflow_forms,
        cleanup_ai_session_keys,
        audit_retention,
        notifs_cleanup,
        for_each_tenant,
        cancel_tenants_jobs,
    ):
        registry.register(handler)


@hookimpl
def jobcore_register_cli(commands: CommandRegistry) -> None:
    """Register `jobcore billing` and `jobcore webhooks`."""
    commands.add("billing", "jobcore_handlers.cli:app", "Set up the business handlers.")
    commands.add("webhooks", "jobcore_handlers.webhooks.cli:app", "Subscriptions, keys and redelivery of webhooks.")


@hookimpl
def jobcore_app_configured(app: JobApp) -> None:
    """Offer to handlers what they need, where the application has none of its own."""
    from jobcore_handlers.services import offer_services
    from jobcore_handlers.settings import HandlerSettings

    offer_services(app, app.settings.section(SECTION, HandlerSettings))
