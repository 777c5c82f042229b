"""Tells which instances of pg-boss there are, Node's and ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from jobcore.errors import InputError, SchemaVersionError
from jobcore_pgboss.boss.desk import Verbs
from jobcore_pgboss.boss.options import check_limit


class Instances(Verbs):
    """`get_instances`."""

    async def get_instances(self, *, limit: int = 1_000, after: UUID | None = None) -> Sequence[Mapping[str, Any]]:
        """Return the instances that registered, the first that started first: rows of `pgboss.instance`, and under
        `live` whether each was heard of within three heartbeats and has not stopped.

        Args:
            limit: how many at most, up to 100,000.
            after: those behind this one, the last of the page before.

        Raises:
            InputError: if the limit is none, or the instance is gone behind which to go on.
            SchemaVersionError: if the schema has no registry, which came with version 44.
        """
        wanted = {"limit": check_limit("get_instances", limit), "after": after}
        rows = await self._desk.ask("get_instances", "", wanted)
        if rows is None:
            raise SchemaVersionError(
                "pg-boss's schema has no registry of instances before version 44. Upgrade it with the Node service "
                "that owns it."
            )
        if rows is False:
            raise InputError(f"get_instances: there is no instance {after} to go on behind.")
        return rows
