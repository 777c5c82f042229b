"""Applications that write an order and enqueue a job about it, each with another blocking library."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import django
import django.conf
import psycopg
from django.db import connection as django_connection
from django.db import connections, transaction
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, scoped_session, sessionmaker


class BlockingCaller(ABC):
    """One connection of an application's."""

    def __init__(self, handed: Any) -> None:
        self.handed = handed
        """What it passes as `connection`."""

    @classmethod
    @abstractmethod
    def open(cls, dsn: str) -> AbstractContextManager[BlockingCaller]: ...

    @abstractmethod
    def run(self, query: str) -> None: ...

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Any]:
        """Commits at the block's end, or rolls back for its error."""

    @abstractmethod
    def savepoint(self) -> AbstractContextManager[Any]: ...


class Psycopg(BlockingCaller):
    @classmethod
    @contextmanager
    def open(cls, dsn: str) -> Generator[BlockingCaller]:
        with psycopg.connect(dsn, autocommit=True) as connection:
            yield cls(connection)

    def run(self, query: str) -> None:
        self.handed.execute(query)

    def transaction(self) -> Any:
        return self.handed.transaction()

    savepoint = transaction


class OrmSession(BlockingCaller):
    @classmethod
    @contextmanager
    def open(cls, dsn: str) -> Generator[BlockingCaller]:
        engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn))
        with cls.opened(engine) as handed:
            yield cls(handed)
        engine.dispose()

    @staticmethod
    def opened(engine: Any) -> AbstractContextManager[Any]:
        return Session(engine)

    def run(self, query: str) -> None:
        self.handed.execute(text(query))

    def transaction(self) -> Any:
        return self.handed.begin()

    def savepoint(self) -> Any:
        return self.handed.begin_nested()


class EngineConnection(OrmSession):
    @staticmethod
    def opened(engine: Any) -> AbstractContextManager[Any]:
        return engine.connect()


class ScopedSession(OrmSession):
    @staticmethod
    @contextmanager
    def opened(engine: Any) -> Generator[Any]:
        session = scoped_session(sessionmaker(engine))
        yield session
        session.remove()


class Django(BlockingCaller):
    @classmethod
    @contextmanager
    def open(cls, dsn: str) -> Generator[BlockingCaller]:
        if not django.conf.settings.configured:
            django.conf.settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.postgresql"}})
            django.setup()
        parts = conninfo_to_dict(dsn)
        names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
        connections["default"].settings_dict.update({key: parts.get(name) or "" for key, name in names.items()})
        yield cls(django_connection)
        connections["default"].close()

    def run(self, query: str) -> None:
        with self.handed.cursor() as cursor:
            cursor.execute(query)

    def transaction(self) -> Any:
        return transaction.atomic()

    savepoint = transaction


BLOCKING_CALLERS = [Psycopg, OrmSession, EngineConnection, ScopedSession, Django]
