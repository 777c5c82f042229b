"""What the tests of the Node-verb face share: the face and a living Node on one database, and looks into its tables."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from jobcore_devkit.postgres import PostgresServer
from jobcore_pgboss.boss import PgBoss
from pgboss_runner.supervised import Node, node_boss

QUIET = {"supervise": False, "schedule": False, "migrate": False}
"""A Node that does only what it is told."""


@dataclass(frozen=True)
class Pair:
    """The same pg-boss database from both sides: `await pair.boss.send(...)`, `await pair.node.call("send", ...)`."""

    boss: PgBoss
    node: Node
    dsn: str

    async def rows(self, query: str, *arguments: Any) -> list[dict[str, Any]]:
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True, row_factory=dict_row) as connection:
            return await (await connection.execute(query, arguments)).fetchall()

    async def job(self, job_id: Any) -> dict[str, Any]:
        return (await self.rows("select * from pgboss.job where id = %s", job_id))[0]


@asynccontextmanager
async def pair_on(dsn: str, server: PostgresServer) -> AsyncGenerator[Pair]:
    """Open both on a migrated database."""
    node_dsn = server.dsn(str(conninfo_to_dict(dsn)["dbname"]), tcp=True)
    async with PgBoss(dsn) as boss, node_boss(node_dsn, **QUIET) as node:
        yield Pair(boss, node, dsn)
