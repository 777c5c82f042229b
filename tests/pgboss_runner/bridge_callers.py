"""Applications that write an order and enqueue a job about it, each with another asynchronous library."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ClassVar

import asyncpg
import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine


class AsyncCaller(ABC):
    """One connection of an application's."""

    handed: Any
    """What it passes as `connection`."""
    open: ClassVar[Any]
    """`open(dsn)`: yields a caller."""

    @abstractmethod
    async def run(self, query: str) -> None: ...

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """Commits at the block's end, or rolls back for its error."""

    @abstractmethod
    def savepoint(self) -> AbstractAsyncContextManager[Any]: ...


class Psycopg(AsyncCaller):
    def __init__(self, connection: psycopg.AsyncConnection) -> None:
        self.handed = connection

    @classmethod
    @asynccontextmanager
    async def open(cls, dsn: str) -> AsyncGenerator[AsyncCaller]:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            yield cls(connection)

    async def run(self, query: str) -> None:
        await self.handed.execute(query)

    def transaction(self) -> Any:
        return self.handed.transaction()

    savepoint = transaction


class Asyncpg(AsyncCaller):
    def __init__(self, connection: Any) -> None:
        self.handed = connection

    @classmethod
    @asynccontextmanager
    async def open(cls, dsn: str) -> AsyncGenerator[AsyncCaller]:
        connection = await asyncpg.connect(dsn)
        yield cls(connection)
        await connection.close()

    async def run(self, query: str) -> None:
        await self.handed.execute(query)

    def transaction(self) -> Any:
        return self.handed.transaction()

    savepoint = transaction


class AsyncpgPool(Asyncpg):
    @classmethod
    @asynccontextmanager
    async def open(cls, dsn: str) -> AsyncGenerator[AsyncCaller]:
        async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool, pool.acquire() as connection:
            yield cls(connection)


class Session(AsyncCaller):
    """`AsyncSession` over psycopg."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.handed = AsyncSession(engine)

    @classmethod
    @asynccontextmanager
    async def open(cls, dsn: str) -> AsyncGenerator[AsyncCaller]:
        engine = cls.new_engine(dsn)
        caller = cls(engine)
        yield caller
        await caller.handed.close()
        await engine.dispose()

    @staticmethod
    def new_engine(dsn: str) -> AsyncEngine:
        return create_async_engine("postgresql+psycopg://", async_creator=lambda: psycopg.AsyncConnection.connect(dsn))

    async def run(self, query: str) -> None:
        await self.handed.execute(text(query))

    def transaction(self) -> Any:
        return self.handed.begin()

    def savepoint(self) -> Any:
        return self.handed.begin_nested()


class SessionOnAsyncpg(Session):
    @staticmethod
    def new_engine(dsn: str) -> AsyncEngine:
        return create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn))


class EngineConnection(Session):
    """`AsyncConnection` over asyncpg."""

    @classmethod
    @asynccontextmanager
    async def open(cls, dsn: str) -> AsyncGenerator[AsyncCaller]:
        engine = SessionOnAsyncpg.new_engine(dsn)
        async with engine.connect() as connection:
            caller = cls(engine)
            caller.handed = connection
            yield caller
        await engine.dispose()


ASYNC_CALLERS = [Psycopg, Asyncpg, AsyncpgPool, Session, SessionOnAsyncpg, EngineConnection]
