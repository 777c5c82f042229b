"""Completing a job in the transaction of its own rows: together, or not at all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from jobcore.errors import InputError, JobcoreError
from jobcore.models import Settlement
from jobcore.ports.context import TenantDatabase
from jobcore.ports.runner import ClaimSession


class AlreadyCompletedError(JobcoreError):
    """A handler went on reporting for a job that it had already completed."""


class Completion:
    """Whether, and in which transaction, the handler settled its job itself."""

    __slots__ = ("_open", "_session", "_staged", "settled")

    def __init__(self, session: ClaimSession) -> None:
        self._session = session
        self._open: list[Any] = []
        """Connections whose transactions `database` opened and has not ended."""
        self._staged: tuple[Any, Settlement] | None = None
        self.settled: Settlement | None = None
        """What was committed; nothing that happens later changes it."""

    @property
    def decided(self) -> bool:
        """Whether a settlement is committed, or stands in a transaction that is still open."""
        return self.settled is not None or self._staged is not None

    def refuse_if_decided(self, what: str) -> None:
        """Raise `AlreadyCompletedError` if the job is completed: its row may be locked by the handler itself."""
        if self.decided:
            raise AlreadyCompletedError(f"{what} came after complete_in had completed the job; move it before.")

    @asynccontextmanager
    async def complete_in(self, connection: Any, prepare: Callable[[], Awaitable[Settlement]]) -> AsyncGenerator[Any]:
        """Run the block, then settle in the same transaction; see `JobContext.complete_in`."""
        self.refuse_if_decided("A second complete_in")
        if any(connection is opened for opened in self._open):
            yield connection
            await self._settle(connection, await prepare())
            return
        if _in_transaction(connection):
            raise InputError(
                "complete_in got a connection whose transaction somebody else opened, so that nobody could tell "
                "whether it commits. Pass ctx.db, a connection of 'async with ctx.db.transaction()', or one without an "
                "open transaction."
            )
        async with self.watch(connection) as opened:
            yield opened
            await self._settle(opened, await prepare())

    @asynccontextmanager
    async def watch(self, source: Any) -> AsyncGenerator[Any]:
        """Open a transaction of `source`, a connection or a database, and learn whether it commits."""
        connection: Any = None
        committing = False
        try:
            async with source.transaction() as opened:
                connection = getattr(opened, "connection", opened)  # psycopg yields the transaction, a database not
                self._open.append(connection)
                yield connection
                committing = True  # not so where the block raised what the driver takes for a wish to roll back
            if committing and self._staged is not None and self._staged[0] is connection:
                self.settled = replace(self._staged[1], settled=True)
        finally:
            self._forget(connection)
            if self._staged is not None and self._staged[0] is connection:
                self._staged = None

    async def _settle(self, connection: Any, settlement: Settlement) -> None:
        self._staged = (connection, settlement)
        try:
            await self._session.settle_in(connection, settlement)
        except BaseException:
            self._staged = None
            raise

    def _forget(self, connection: Any) -> None:
        self._open = [opened for opened in self._open if opened is not connection]


class WatchedDatabase:
    """`ctx.db`: the tenant's database, whose commits the completion hears of (the `TenantDatabase` port)."""

    __slots__ = ("_completion", "_database")

    def __init__(self, database: TenantDatabase, completion: Completion) -> None:
        self._database = database
        self._completion = completion

    def transaction(self) -> Any:
        """Open a transaction and yield its connection; see `TenantDatabase.transaction`."""
        return self._completion.watch(self._database)


def _in_transaction(connection: Any) -> bool:
    """Ask a connection of whichever driver: psycopg and libpq by status (0 is idle), others by a flag or a method."""
    status = getattr(getattr(connection, "info", None), "transaction_status", None)
    if status is not None:
        return int(status) != 0
    flag = getattr(connection, "in_transaction", False)
    return bool(flag() if callable(flag) else flag)
