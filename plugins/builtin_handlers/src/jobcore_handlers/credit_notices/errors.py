"""Why clients were not told that their credits expire. They are named by their ids."""

from __future__ import annotations

from jobcore.errors import NonRetryableError
from jobcore_handlers.errors import BillingError, BillingRefusedError
from jobcore_handlers.mailing.errors import MailTemplateError


class UnknownTimeZoneError(BillingRefusedError):
    """A tenant's time zone is not one that there is."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is no time zone {name[:64]!r}. Set billing.tenants.time_zone to an IANA name, "
            "such as Europe/Vienna, then retry the job."
        )


class DistantThresholdError(BillingRefusedError):
    """A tenant wants notices further ahead than anybody looks."""

    def __init__(self, days: int, most: int) -> None:
        super().__init__(
            f"Nobody is told {days} days ahead; {most} are the most. Correct credit_expiration_notification_days of "
            "billing.default_billing_settings, then retry the job."
        )


class NotificationMissingError(MailTemplateError):
    """The kind of notification has no wording at all."""

    def __init__(self, reason: MailTemplateError) -> None:
        super().__init__(f"The notification 'Credit Expiring' is missing. {reason}")


class ClientsNotToldError(BillingError):
    """Some clients could not be told; the job's next attempt tells these only."""

    def __init__(self, failed: int, due: int, first: str) -> None:
        super().__init__(f"{failed} of {due} clients were not told of expiring credits. The first: {first}")


class ClientsNotTellableError(ClientsNotToldError, NonRetryableError):
    """None of the clients that were not told would be by another attempt."""
