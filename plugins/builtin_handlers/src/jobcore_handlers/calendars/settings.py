"""The settings of the calendars: `[tool.jobcore.builtin.calendars]`, or `JOBCORE_BUILTIN__CALENDARS__...`."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr


def _https(url: str) -> str:
    """Secrets travel by https; plain http is for a stand-in on this machine."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ValueError("must begin with https://")
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("must name a host, and have no user, query or fragment")
    return url.rstrip("/")


def _public_https(url: str) -> str:
    if not url.startswith("https://"):
        raise ValueError("must begin with https://: the services send notifications nowhere else")
    return _https(url)


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False


class ServiceSettings(BaseModel):
    """How one calendar service is reached, and as which registered application."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    client_id: str | None = None
    client_secret: SecretStr | None = None
    api_url: Annotated[str, AfterValidator(_https)]
    oauth_url: Annotated[str, AfterValidator(_https)]


class MicrosoftSettings(ServiceSettings):
    """Microsoft Graph. `{directory}` in the token's address is the provider's own."""

    api_url: Annotated[str, AfterValidator(_https)] = "https://graph.microsoft.com/v1.0"
    oauth_url: Annotated[str, AfterValidator(_https)] = (
        "https://login.microsoftonline.com/{directory}/oauth2/v2.0/token"
    )


class GoogleSettings(ServiceSettings):
    """Google Calendar."""

    api_url: Annotated[str, AfterValidator(_https)] = "https://www.googleapis.com/calendar/v3"
    oauth_url: Annotated[str, AfterValidator(_https)] = "https://oauth2.googleapis.com/token"


class CalendarSettings(BaseModel):
    """What the calendar handlers can be told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    notification_url: Annotated[str, AfterValidator(_public_https)] | None = Field(
        default=None, description="Where your application takes notifications; /microsoft and /google are added."
    )
    key: SecretStr | None = Field(
        default=None, description="32 bytes in Base64, with which refresh tokens are encrypted in the database."
    )
    timeout_seconds: float = Field(default=10, gt=0, le=60, description="For one request and its whole answer.")
    longest_wait_seconds: float = Field(
        default=20, ge=0, le=120, description="The longest Retry-After that is waited for; a longer one is a failure."
    )
    microsoft: MicrosoftSettings = MicrosoftSettings()
    google: GoogleSettings = GoogleSettings()
