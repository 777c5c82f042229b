"""Where a worker listens: on its database's address, or on the server's own beside a pooler."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import SecretStr

from jobcore.errors import ConfigurationError, StorageUnavailableError
from jobcore_postgres.background import logs
from jobcore_postgres.background.link import Link, is_pooled
from jobcore_postgres.database import Database, place_of


@dataclass(frozen=True, slots=True)
class Listening:
    """How a worker hears of news."""

    variable: str
    """Where users say `url`, for messages."""
    url: SecretStr | None = None
    """The server's own address, where the database's leads to a pooler."""
    probe_interval_seconds: float = 10
    """How often the connection sends itself a notification, to see that it still hears."""

    def database(self, database: Database) -> Database:
        """Return where to listen. Raises `ConfigurationError` if `url` does not parse."""
        return database if self.url is None else Database(self.url.get_secret_value())

    async def check(self, link: Link, database: Database) -> None:
        """See that `url`, if there is one, leads to the database of the jobs. A server that is away now is left to the
        listener.

        Raises `ConfigurationError` if it leads elsewhere: nothing would ever be heard there.
        """
        if self.url is None:
            return
        try:
            async with link.use() as connection:
                place, pooled = await place_of(connection), is_pooled(connection)
        except StorageUnavailableError:
            return
        if not await database.is_at(place):
            raise ConfigurationError(
                f"{self.variable} leads to another database ({link.address}) than the jobs are in "
                f"({database.address}): nobody tells of new jobs there. Let both name one database of one server."
            )
        if not pooled:
            logs.listening_directly(link.address)
