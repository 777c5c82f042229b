"""The settings of the built-in handlers: `[tool.jobcore.builtin]`, or variables that begin with `JOBCORE_BUILTIN__`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from jobcore.settings.values import AsTable, split_names
from jobcore_handlers.calendars.settings import CalendarSettings
from jobcore_handlers.imports.limits import ImportLimits
from jobcore_handlers.mailing.settings import MailSettings

Keys = Annotated[dict[str, Path], AsTable]
"""Files by name; a JSON object in a variable."""

Ports = Annotated[frozenset[Annotated[int, Field(ge=1, le=65535)]], BeforeValidator(split_names)]
"""Numbers, in a variable with commas between them."""

SecretKeys = Annotated[tuple[SecretStr, ...], BeforeValidator(split_names)]
"""Keys, in a variable with commas between them."""


class HandlerSettings(MailSettings):
    """What the built-in handlers can be told."""

    files: Path = Field(default=Path("jobcore-files"), description="The folder of the file store; made when needed.")
    s3_bucket: str | None = Field(
        default=None, min_length=3, max_length=63, description="The bucket that is the file store, instead of a folder."
    )
    s3_endpoint: str | None = Field(
        default=None, pattern="^https?://", description="The address of a server that speaks S3 and is not AWS."
    )
    s3_region: str | None = Field(default=None, description="Where the bucket is.")
    s3_access_key: str | None = Field(default=None, description="With the secret key, instead of boto3's own chain.")
    s3_secret_key: SecretStr | None = Field(default=None, description="With the access key.")
    invoice_font: Path | None = Field(
        default=None, description="A TrueType font (.ttf) for invoices with letters that are not Western European."
    )
    invoice_font_bold: Path | None = Field(default=None, description="The bold one of the invoice font.")
    imports: ImportLimits = Field(default=ImportLimits(), description="How large files may be that are imported.")
    webhook_key: Path | None = Field(default=None, description="The RSA key that signs webhooks, a PEM file.")
    webhook_key_id: str = Field(
        default="1", min_length=1, max_length=80, description="By which receivers find the key."
    )
    webhook_published_keys: Keys = Field(
        default_factory=dict[str, Path],
        description="PEM files by key id: the keys to publish beside the one that signs, such as the one before it.",
    )
    webhook_secret_keys: SecretKeys = Field(
        default=(),
        description="32 bytes in Base64: the endpoints' secrets are encrypted in the database with the first, and read "
        "with any.",
    )
    webhook_allow_http: bool = Field(default=False, description="Send webhooks to plain http addresses too.")
    webhook_ports: Ports = Field(default=frozenset({443}), description="The ports that addresses of webhooks may name.")
    webhook_allow_private: bool = Field(
        default=False,
        description="DANGEROUS: send webhooks to addresses of this machine and its networks too. Whoever enters an "
        "address then reaches what stands behind the firewall: for tests, and closed networks with trusted users.",
    )
    calendars: CalendarSettings = Field(default=CalendarSettings(), description="Calendars of outside services.")

    @model_validator(mode="after")
    def _both_keys_or_none(self) -> Self:
        if (self.s3_access_key is None) is not (self.s3_secret_key is None):
            raise ValueError("s3_access_key and s3_secret_key belong together: set both, or neither")
        return self
