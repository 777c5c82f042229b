"""Where the database is: one address, or its parts (F12)."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from jobcore.errors import ConfigurationError
from jobcore.settings.values import Section

PARTS = ("host", "port", "name", "user", "password")


class DatabaseSettings(Section):
    """`DATABASE_URL`, or `DB_HOST`, `DB_PORT`, `DB_NAME`, `DB_USER` and `DB_PASSWORD`; exactly one of the two ways."""

    url: SecretStr | None = None
    """`postgresql://user:password@host:port/name`."""
    host: str | None = None
    """A host's name, an address, or the folder of a socket."""
    port: int = Field(default=5432, ge=1, le=65535)
    name: str | None = None
    user: str | None = None
    password: SecretStr | None = None

    @field_validator("url")
    @classmethod
    def _is_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _is_address(value.get_secret_value()):
            raise ValueError("it should be an address such as postgresql://user:password@host:5432/name")
        return value

    @model_validator(mode="after")
    def _exactly_one_way(self) -> DatabaseSettings:
        given = [part for part in PARTS if part in self.model_fields_set]
        if self.url is not None and given:
            raise ValueError("set DATABASE_URL or the DB_* variables, not both")
        missing = [f"DB_{part.upper()}" for part in ("host", "name", "user") if getattr(self, part) is None]
        if given and missing:
            raise ValueError(f"with DB_* variables {' and '.join(missing)} must be set too; or set DATABASE_URL alone")
        return self

    @property
    def is_configured(self) -> bool:
        """Whether either way was used."""
        return self.url is not None or self.host is not None

    def dsn(self) -> str:
        """Return the address, with the password in it: hand it to the driver and to nothing else.

        Raises:
            ConfigurationError: if no database is configured.
        """
        if self.url is not None:
            return self.url.get_secret_value()
        if self.host is None or self.name is None or self.user is None:
            raise ConfigurationError(
                "No database is configured: set DATABASE_URL (postgresql://user:password@host:5432/name), "
                "or DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD. "
                "Where `jobcore dev` runs one, `jobcore dev url` prints its address."
            )
        secret = f":{quote(self.password.get_secret_value(), safe='')}" if self.password else ""
        return f"postgresql://{quote(self.user, safe='')}{secret}@{self._place(self.host)}"

    def _place(self, host: str) -> str:
        name = quote(self.name or "", safe="")
        if host.startswith("/"):
            return f"/{name}?host={quote(host, safe='')}&port={self.port}"
        return f"{f'[{host}]' if ':' in host else host}:{self.port}/{name}"


def _is_address(text: str) -> bool:
    try:
        return urlsplit(text).scheme in {"postgresql", "postgres"} and "://" in text
    except ValueError:
        return False
