"""Completing a job in the transaction of its own rows: together, or not at all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

from jobcore.errors import InputError, JobcoreError
from jobcore.models import Settlement
from jobcore.ports.context import TenantDatabase
from jobcore.ports.runner import ClaimSession

Prepare = Callable[[], Awaitable[Settlement]]
"""Makes the settlement, once the handler's block has ended."""


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
    async def complete_in(self, connection: Any, prepare: Prepare) -> AsyncGenerator[Any]:
        """Run the block, then settle in the same transaction; see `JobContext.complete_in`."""
        self.refuse_if_decided("A second complete_in")
        if any(connection is opened for opened in self._open):
            yield connection
            await self._settle(connection, await prepare())
            return
        _refuse_transaction(connection, "ctx.db, a connection of 'async with ctx.db.transaction()', or one")
        async with self.watch(connection) as opened:
            yield opened
            await self._settle(opened, await prepare())

    @contextmanager
    def complete_blocking(
        self, connection: Any, settle: Callable[[Callable[[], Coroutine[Any, Any, None]]], None], prepare: Prepare
    ) -> Generator[Any]:
        """As `complete_in`, in a thread that has a blocking connection: `settle` runs on the loop what it is given."""
        self.refuse_if_decided("A second complete_in")
        _refuse_transaction(connection, "one")
        committing = False
        try:
            with _blocking_transaction(connection):
                yield connection
                settle(lambda: self._prepare_and_settle(connection, prepare))
                committing = True
            if committing:
                self._committed(connection)
        finally:
            self._end(connection)

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
            if committing:
                self._committed(connection)
        finally:
            self._forget(connection)
            self._end(connection)

    def _committed(self, connection: Any) -> None:
        if self._staged is not None and self._staged[0] is connection:
            self.settled = replace(self._staged[1], settled=True)

    def _end(self, connection: Any) -> None:
        if self._staged is not None and self._staged[0] is connection:
            self._staged = None

    async def _prepare_and_settle(self, connection: Any, prepare: Prepare) -> None:
        await self._settle(connection, await prepare())

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


def _refuse_transaction(connection: Any, instead: str) -> None:
    if _in_transaction(connection):
        raise InputError(
            "complete_in got a connection whose transaction somebody else opened, so that nobody could tell whether it "
            f"commits. Pass {instead} without an open transaction."
        )


def _blocking_transaction(connection: Any) -> Any:
    """Begin a transaction as the driver calls it: psycopg by `transaction`, SQLAlchemy by `begin`."""
    begin = getattr(connection, "transaction", None) or getattr(connection, "begin", None)
    transaction: Any = begin() if callable(begin) else None
    if not hasattr(transaction, "__enter__"):
        raise InputError(
            "ctx.blocking.complete_in takes a blocking connection that opens its transactions itself, psycopg's "
            "Connection or SQLAlchemy's Connection or Session, not "
            f"{type(connection).__module__}.{type(connection).__qualname__}."
        )
    return transaction


def _in_transaction(connection: Any) -> bool:
    """Ask a connection of whichever driver: psycopg and libpq by status (0 is idle), others by a flag or a method."""
    status = getattr(getattr(connection, "info", None), "transaction_status", None)
    if status is not None:
        return int(status) != 0
    flag = getattr(connection, "in_transaction", False)
    return bool(flag() if callable(flag) else flag)
