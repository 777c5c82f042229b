"""Django's connections: `django.db.connection`, or one of `django.db.connections`."""

from __future__ import annotations

from typing import Any, LiteralString

from jobcore_postgres.bridges.faults import require_postgresql


def call_blocking(connection: Any, query: LiteralString, *arguments: str) -> str:
    require_postgresql(connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(query.replace("$1", "%s").replace("$2", "%s"), arguments)
        return cursor.fetchone()[0]
