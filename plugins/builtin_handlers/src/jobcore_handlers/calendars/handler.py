"""The handlers of `renew-microsoft-calendar-webhooks` (J10) and `verify-google-calendar-pubsub` (J11)."""

from __future__ import annotations

from datetime import timedelta

from jobcore import JobContext, RetryPolicy, job
from jobcore_handlers.calendars.payload import RenewMicrosoftCalendarWebhooks, VerifyGoogleCalendarPubsub
from jobcore_handlers.calendars.renewal import Renewal
from jobcore_handlers.calendars.rounds import Round
from jobcore_handlers.calendars.subscribers import Subscribers
from jobcore_handlers.calendars.verification import MARGIN, Verification
from jobcore_handlers.calendars.watchers import Watchers


@job("renew-microsoft-calendar-webhooks", retry=RetryPolicy(max_attempts=3))
async def renew_microsoft_calendar_webhooks(ctx: JobContext, data: RenewMicrosoftCalendarWebhooks) -> dict[str, int]:
    """Renew a tenant's subscriptions to Microsoft calendars before they end, and make those that are missing.

    A provider that fails is noted in its health row and does not fail the job. Services: `GraphSubscriptions`,
    `AccessTokens`.

    Raises:
        ConfigurationError: if no provider can be served as things are configured.
    """
    due = await Subscribers(ctx).due(timedelta(minutes=data.look_ahead_minutes))
    return await Round(ctx).over(due, Renewal(ctx).serve)


@job("verify-google-calendar-pubsub", retry=RetryPolicy(max_attempts=3))
async def verify_google_calendar_pubsub(
    ctx: JobContext,
    data: VerifyGoogleCalendarPubsub,  # noqa: ARG001 - names the tenant, which the context knows
) -> dict[str, int]:
    """See to it that each of a tenant's Google calendars has a channel that lives for some hours yet.

    A provider that fails is noted in its health row and does not fail the job. Services: `CalendarChannels`,
    `AccessTokens`.

    Raises:
        ConfigurationError: if no provider can be served as things are configured.
    """
    return await Round(ctx).over(await Watchers(ctx).all(MARGIN), Verification(ctx).serve)
