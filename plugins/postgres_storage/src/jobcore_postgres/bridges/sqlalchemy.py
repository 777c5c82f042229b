"""SQLAlchemy 2: sessions and connections, over whichever driver."""

from __future__ import annotations

from typing import Any, LiteralString

from jobcore.errors import InputError
from jobcore_postgres.bridges.faults import require_postgresql


async def call_on_session(session: Any, query: LiteralString, *arguments: str) -> str:
    return await call_on_connection(await session.connection(), query, *arguments)


async def call_on_connection(connection: Any, query: LiteralString, *arguments: str) -> str:
    require_postgresql(connection.dialect.name)
    return (await connection.execute(_text(query), _named(arguments))).scalar_one()


def call_blocking_on_session(session: Any, query: LiteralString, *arguments: str) -> str:
    _require_blocking_postgresql(session.get_bind().dialect)  # before a connection is made
    return call_blocking_on_connection(session.connection(), query, *arguments)


def call_blocking_on_connection(connection: Any, query: LiteralString, *arguments: str) -> str:
    _require_blocking_postgresql(connection.dialect)
    return connection.execute(_text(query), _named(arguments)).scalar_one()


def _require_blocking_postgresql(dialect: Any) -> None:
    require_postgresql(dialect.name)
    if dialect.is_async:
        raise InputError(
            f"This is the inside of an asynchronous session or connection ({dialect.driver}): pass the AsyncSession or "
            "AsyncConnection itself."
        )


def _text(query: LiteralString) -> Any:
    from sqlalchemy import text

    return text(query.replace("$1", ":a1").replace("$2", ":a2"))


def _named(arguments: tuple[str, ...]) -> dict[str, str]:
    return {f"a{position}": argument for position, argument in enumerate(arguments, start=1)}
