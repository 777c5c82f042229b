"""The services of the calendar handlers, as the settings tell them."""

from __future__ import annotations

from datetime import timedelta

from jobcore.app.services import ServiceContainer
from jobcore.errors import ConfigurationError
from jobcore_handlers.calendars.api import ServiceApi
from jobcore_handlers.calendars.channels import CalendarChannels
from jobcore_handlers.calendars.graph import GraphSubscriptions
from jobcore_handlers.calendars.oauth import OAuthTokens
from jobcore_handlers.calendars.settings import CalendarSettings
from jobcore_handlers.calendars.tokens import AccessTokens
from jobcore_handlers.calendars.vault import TokenVault


def offer_calendars(services: ServiceContainer, settings: CalendarSettings) -> None:
    """Offer `AccessTokens`, `GraphSubscriptions` and `CalendarChannels` where the application has none of its own.

    `OAuthTokens`, where applications keep refresh tokens, is offered beside.
    """
    if OAuthTokens not in services:
        services.provide(OAuthTokens, lambda: oauth_tokens(settings))
    if AccessTokens not in services:
        services.provide(AccessTokens, lambda: services.get(OAuthTokens))
    if GraphSubscriptions not in services:
        services.provide(GraphSubscriptions, lambda: graph_subscriptions(settings))
    if CalendarChannels not in services:
        services.provide(CalendarChannels, lambda: calendar_channels(settings))


def oauth_tokens(settings: CalendarSettings) -> OAuthTokens:
    """Return the source of access tokens. Raises `ConfigurationError` if the key is none."""
    key = settings.key
    return OAuthTokens(
        {"microsoft": settings.microsoft, "google": settings.google},
        {
            "microsoft": _api(settings, "Microsoft's token endpoint", settings.microsoft.oauth_url),
            "google": _api(settings, "Google's token endpoint", settings.google.oauth_url),
        },
        None if key is None else TokenVault.from_base64(key.get_secret_value()),
    )


def graph_subscriptions(settings: CalendarSettings) -> GraphSubscriptions:
    """Return the client of Microsoft Graph. Raises `ConfigurationError` without an address for notifications."""
    api = _api(settings, "Microsoft Graph", settings.microsoft.api_url)
    return GraphSubscriptions(api, _notification_url(settings))


def calendar_channels(settings: CalendarSettings) -> CalendarChannels:
    """Return the client of Google Calendar. Raises `ConfigurationError` without an address for notifications."""
    api = _api(settings, "Google Calendar", settings.google.api_url)
    return CalendarChannels(api, _notification_url(settings))


def _api(settings: CalendarSettings, name: str, url: str) -> ServiceApi:
    return ServiceApi(
        name,
        url,
        timeout=timedelta(seconds=settings.timeout_seconds),
        longest_wait=timedelta(seconds=settings.longest_wait_seconds),
    )


def _notification_url(settings: CalendarSettings) -> str:
    if settings.notification_url is None:
        raise ConfigurationError(
            "Calendar services need an address to notify: set JOBCORE_BUILTIN__CALENDARS__NOTIFICATION_URL to the "
            "https address of your application that takes notifications."
        )
    return settings.notification_url
