"""The settings of outgoing mail; they are part of `HandlerSettings`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from jobcore_handlers.mailing.errors import MailContentError
from jobcore_handlers.mailing.mail import sender_of

Tls = Literal["starttls", "implicit", "none"]

WebAddress = Annotated[str, Field(pattern=r"^https?://[^\s<>\"]+$", max_length=1000)]

_PORTS: dict[Tls, int] = {"starttls": 587, "implicit": 465, "none": 25}


def _email_from() -> str:
    return os.environ.get("EMAIL_FROM", "noreply@example.com")


def _app_url() -> str | None:
    return os.environ.get("APP_URL")


class MailSettings(BaseModel):
    """How mail is sent, and what it links to."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    email_from: str = Field(
        default_factory=_email_from,
        description="The sender of every mail, with or without a name. The variable EMAIL_FROM sets it too.",
    )
    app_url: WebAddress | None = Field(
        default_factory=_app_url, description="The application's address. The variable APP_URL sets it too."
    )
    payment_url: WebAddress | None = Field(
        default=None, description="Where an invoice is paid; {tenant} and {invoice} stand for the ids."
    )
    portal_url: WebAddress | None = Field(
        default=None, description="Where a client sees an invoice; {tenant} and {invoice} stand for the ids."
    )
    smtp_host: str | None = Field(default=None, min_length=1, description="The mail server.")
    smtp_port: int | None = Field(
        default=None, ge=1, le=65535, description="Its port; by default 587, 465 or 25, as smtp_tls says."
    )
    smtp_tls: Tls = Field(
        default="starttls",
        description="`starttls` upgrades the connection, `implicit` encrypts it from the start, `none` never does.",
    )
    smtp_ca_file: Path | None = Field(
        default=None, description="Certificates that vouch for the server, a PEM file; by default the system's."
    )
    smtp_username: str | None = Field(default=None, min_length=1, description="The account at the mail server.")
    smtp_password: SecretStr | None = Field(default=None, description="The account's password.")
    smtp_timeout: float = Field(
        default=30, gt=0, le=600, description="Seconds for one mail: connection, dialogue and the server's answer."
    )

    @field_validator("email_from")
    @classmethod
    def _can_be_a_sender(cls, text: str) -> str:
        try:
            sender_of(text)
        except MailContentError:
            raise ValueError(
                "is not an address, such as billing@example.com or Billing <billing@example.com>"
            ) from None
        return text

    @model_validator(mode="after")
    def _keeps_its_password(self) -> Self:
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("smtp_username and smtp_password are set together, or neither is")
        if self.smtp_password is not None and self.smtp_tls == "none":
            raise ValueError("a password is not sent in the clear: set smtp_tls to starttls or implicit")
        return self

    @property
    def port(self) -> int:
        """The port that is connected to."""
        return self.smtp_port or _PORTS[self.smtp_tls]
