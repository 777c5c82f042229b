"""Where a worker listens: on its database's address, or on the server's own beside a pooler."""

from __future__ import annotations

from jobcore.errors import ConfigurationError, StorageUnavailableError
from jobcore_pgboss import logs
from jobcore_pgboss.link import Link, is_pooled
from jobcore_pgboss.settings import PgBossSettings
from jobcore_postgres.database import Database, place_of


def listening_database(database: Database, settings: PgBossSettings) -> Database:
    """Return where to listen. Raises `ConfigurationError` if `listen_url` does not parse."""
    return database if settings.listen_url is None else Database(settings.listen_url.get_secret_value())


async def check_listening(link: Link, database: Database) -> None:
    """See that `listen_url` leads to the database of the jobs. A server that is away now is left to the listener.

    Raises `ConfigurationError` if it leads elsewhere: nothing would ever be heard there.
    """
    try:
        async with link.use() as connection:
            place, pooled = await place_of(connection), is_pooled(connection)
    except StorageUnavailableError:
        return
    if not await database.is_at(place):
        raise ConfigurationError(
            f"JOBCORE_PGBOSS__LISTEN_URL leads to another database ({link.address}) than the jobs are in "
            f"({database.address}): nobody tells of new jobs there. Let both name one database of one server."
        )
    if not pooled:
        logs.listening_directly(link.address)
