"""How messages name a database: host, port, name and login, and never the password."""

from __future__ import annotations

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from jobcore.errors import ConfigurationError

HIDDEN = "***"

KEEPALIVES = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""A server that went away without a word is noticed within a minute, not when TCP gives up after fifteen."""


def parse_address(dsn: str) -> dict[str, str]:
    """Return the parts of a connection string or URL.

    Raises:
        ConfigurationError: if it does not parse. The message does not repeat it, for it may hold a password.
    """
    try:
        parts = conninfo_to_dict(dsn)
    except ProgrammingError:
        problem = (
            "The database URL does not parse (it is not shown, for it may hold a password); "
            "write it as postgresql://USER:PASSWORD@HOST:5432/DATABASE, with special characters percent-encoded."
        )
    else:
        return {key: str(value) for key, value in parts.items() if value is not None}
    raise ConfigurationError(problem)


def with_keepalives(dsn: str) -> str:
    """Return the address with `KEEPALIVES`, except what it says itself. Raises as `parse_address`."""
    said = parse_address(dsn)
    return make_conninfo(dsn, **{key: value for key, value in KEEPALIVES.items() if key not in said})


def describe_address(dsn: str) -> str:
    """Return e.g. `host db.example, port 5432, database app, user jobs`, for messages."""
    parts = parse_address(dsn)
    named = {
        "host": parts.get("host") or parts.get("hostaddr") or "the local socket",
        "port": parts.get("port") or "5432",
        "database": parts.get("dbname") or parts.get("user") or "the login's own",
        "user": parts.get("user") or "the system's",
    }
    return ", ".join(f"{key} {value}" for key, value in named.items())


def hide_password(text: str, dsn: str) -> str:
    """Return `text` without the password of `dsn`, should a driver have put it there."""
    password = parse_address(dsn).get("password")
    return text.replace(password, HIDDEN) if password else text
