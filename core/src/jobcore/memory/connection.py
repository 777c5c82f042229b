"""The memory storage's unit of work: what is staged on it takes effect at its commit, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from jobcore.errors import ForeignConnectionError

Check = Callable[[], None]
Effect = Callable[[], None]


@dataclass(slots=True)
class _Staged:
    check: Check | None = None
    """Raises if the effect is no longer allowed; asked before anything takes effect."""
    effect: Effect | None = None
    undo: Effect | None = None


@dataclass(slots=True)
class _Work:
    staged: list[_Staged] = field(default_factory=list[_Staged])
    afterwards: list[Callable[[], Awaitable[None]]] = field(default_factory=list[Callable[[], Awaitable[None]]])
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class MemoryConnection:
    """Stands where a psycopg connection stands on PostgreSQL: `async with connection.transaction(): ...`.

    A block within a block is a savepoint: an error undoes what the inner one staged.
    """

    def __init__(self, owner: object) -> None:
        self._owner = owner
        self._work: _Work | None = None

    @property
    def in_transaction(self) -> bool:
        return self._work is not None

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[MemoryConnection]:
        """Commit at the end of the block, roll back on an error. Raises what a check of the commit raises."""
        if self._work is not None:
            async with self._savepoint(self._work):
                yield self
            return
        work = self._work = _Work()
        try:
            yield self
            _commit(work)
        except BaseException:
            _undo(work, 0)
            raise
        finally:
            self._work = None
            work.ended.set()
        for call in work.afterwards:
            await call()

    @asynccontextmanager
    async def savepoint(self) -> AsyncGenerator[MemoryConnection]:
        """Undo at an error what the block staged. Raises `ForeignConnectionError` outside a transaction."""
        async with self._savepoint(self._require_work()):
            yield self

    def on_commit(self, effect: Effect) -> None:
        """Call `effect` at the commit; never after a rollback. Lets a test see what a handler would have written."""
        self.stage(effect=effect)

    def stage(self, *, check: Check | None = None, effect: Effect | None = None, undo: Effect | None = None) -> None:
        """Hold back `effect` until the commit, provided that `check` passes then; call `undo` at a rollback."""
        self._require_work().staged.append(_Staged(check, effect, undo))

    def after_commit(self, call: Callable[[], Awaitable[None]]) -> None:
        """Await `call` once the commit is visible, before `transaction()` returns."""
        self._require_work().afterwards.append(call)

    async def wait_ended(self) -> None:
        """Return once the open transaction has ended; at once if there is none."""
        if self._work is not None:
            await self._work.ended.wait()

    def belongs_to(self, owner: object) -> bool:
        return self._owner is owner

    def _require_work(self) -> _Work:
        if self._work is None:
            raise ForeignConnectionError(
                "This memory connection has no open transaction; write 'async with connection.transaction():' around."
            )
        return self._work

    @asynccontextmanager
    async def _savepoint(self, work: _Work) -> AsyncGenerator[None]:
        mark, calls = len(work.staged), len(work.afterwards)
        try:
            yield
        except BaseException:
            _undo(work, mark)
            del work.afterwards[calls:]
            raise


def _commit(work: _Work) -> None:
    for staged in work.staged:
        if staged.check is not None:
            staged.check()
    for staged in work.staged:
        if staged.effect is not None:
            staged.effect()


def _undo(work: _Work, mark: int) -> None:
    for staged in reversed(work.staged[mark:]):
        if staged.undo is not None:
            staged.undo()
    del work.staged[mark:]


class MemoryDatabase:
    """The tenant's database of the memory storage: transactions without tables."""

    def __init__(self, owner: object) -> None:
        self._owner = owner

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Any]:
        async with MemoryConnection(self._owner).transaction() as connection:
            yield connection


def own_connection(connection: Any, owner: object) -> MemoryConnection:
    """Return `connection` if it is one of this store's. Raises `ForeignConnectionError` otherwise."""
    if isinstance(connection, MemoryConnection) and connection.belongs_to(owner):
        return connection
    raise ForeignConnectionError(
        f"The memory storage cannot join the transaction of a {type(connection).__qualname__}: "
        "use a connection of its own, from 'ctx.db.transaction()' or 'store.connection()'."
    )
