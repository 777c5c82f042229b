"""The entry point. It registers; what it registers is imported when it is asked to."""

from jobcore import JobApp, JobHandlerRegistry
from jobcore.plugins.hooks import hookimpl


@hookimpl
def jobcore_register_handlers(registry: JobHandlerRegistry) -> None:
    from acme_reminders.jobs import remind

    registry.register(remind)


@hookimpl
def jobcore_app_configured(app: JobApp) -> None:
    from acme_reminders.outbox import Outbox
    from acme_reminders.settings import ReminderSettings

    if Outbox not in app.services:
        settings = app.settings.section("acme", ReminderSettings)
        app.services.provide(Outbox, lambda: Outbox(settings.outbox))
