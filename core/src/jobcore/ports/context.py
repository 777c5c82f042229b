"""What a handler sees of the world: the job context, its abort signal, its services and its database."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, overload
from uuid import UUID

if TYPE_CHECKING:
    from jobcore.models import Enqueued

P = ParamSpec("P")
T = TypeVar("T")
DataT = TypeVar("DataT")


class AbortSignal(Protocol):
    """Tells a running handler that its work is no longer wanted: cancelled, superseded, timed out, or shut down."""

    @property
    def aborted(self) -> bool:
        """Whether the handler should stop. Safe to read from any thread; does not block."""
        ...

    @property
    def reason(self) -> str | None:
        """Why, in words."""
        ...

    @property
    def aborted_by(self) -> str | None:
        """Who asked, if a person did."""
        ...

    async def wait(self) -> None:
        """Return once the signal is aborted."""
        ...

    def wait_blocking(self, timeout: float | None = None) -> bool:
        """Block the calling thread until aborted or `timeout` seconds passed; return whether aborted."""
        ...

    def raise_if_aborted(self) -> None:
        """Raise `JobCancelledError` if aborted."""
        ...


class Services(Protocol):
    """What the application gives its handlers, looked up by type (dependency injection)."""

    def get(self, kind: type[T]) -> T:
        """Return the service of this type. Raises `ConfigurationError`, naming what is registered, if there is none."""
        ...

    def __contains__(self, kind: object) -> bool: ...


class TenantDatabase(Protocol):
    """The application's database, seen through the eyes of one tenant."""

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """Open a transaction and yield its connection (for PostgreSQL a `psycopg.AsyncConnection`).

        Within it the tenant is set and row-level security holds. Commits at the end of the block, rolls back on an
        error. Waits for a connection of the pool.
        """
        ...


class JobContext(ABC):
    """One attempt of one job, as its handler sees it.

    From a `def` handler, which runs in a thread, the awaitable methods are called through `ctx.blocking`.
    """

    job_id: UUID
    job_name: str
    tenant_id: UUID
    data: Any
    """The payload, as the handler's model."""
    attempt: int
    """1 on the first attempt."""
    max_attempts: int
    logger: logging.LoggerAdapter[logging.Logger]
    """Bound to job and tenant."""
    signal: AbortSignal
    services: Services

    @property
    @abstractmethod
    def db(self) -> TenantDatabase:
        """The application's database as this tenant. Raises `ConfigurationError` if the storage has none."""

    @property
    @abstractmethod
    def blocking(self) -> BlockingContext:
        """The same calls for a handler that runs in a thread: each blocks until it is done."""

    @abstractmethod
    async def progress(self, percent: float, message: str | None = None) -> None:
        """Report progress, 0 to 100 percent; without a message the last one stays.

        Written at most once a second; the last value always is.

        Raises:
            InputError: if `percent` is outside 0 to 100.
            StaleClaimError: if this worker no longer owns the job.
        """

    @abstractmethod
    async def heartbeat(self) -> None:
        """Extend the lease now. The worker does so by itself; a handler that blocks the loop may want to.

        Raises:
            StaleClaimError: if this worker no longer owns the job.
        """

    @abstractmethod
    async def detail(
        self,
        step_name: str,
        status: str,
        *,
        result: Any = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> UUID:
        """Write a row of `job_details` for an item of this job, or update the one with this step name.

        Returns the row's id. Raises `StaleClaimError` if this worker no longer owns the job.
        """

    @abstractmethod
    async def step(self, name: str, fn: Callable[P, Awaitable[T] | T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn` once in the life of this job and return its result; a later attempt gets the stored result.

        The result must be JSON. Steps of one name are told apart by their order. The first stored result wins.
        Raises `StaleClaimError` if this worker no longer owns the job, and whatever `fn` raises.
        """

    @abstractmethod
    async def once(self, key: str) -> bool:
        """Return true the first time that this job asks for `key`, in whichever attempt, and false ever after."""

    @abstractmethod
    def complete_in(self, connection: Any, *, result: Any = None) -> AbstractAsyncContextManager[Any]:
        """Complete this job in the transaction of `connection`, together with whatever the block writes.

        Opens the transaction, runs the block, settles the job and commits: the rows and the completion become visible
        together or not at all. After it nothing changes the outcome. `connection` is `ctx.db`, a connection without an
        open transaction, or one of `async with ctx.db.transaction()`, whose transaction is joined and commits at its
        own end. Yields the connection.

        Raises:
            StaleClaimError: before COMMIT, if this worker no longer owns the job; everything is rolled back.
            ForeignConnectionError: if the connection is to another database.
            InputError: if somebody else opened a transaction on the connection: nobody could tell whether it commits.
        """

    @overload
    async def enqueue(
        self,
        job: Callable[[JobContext, DataT], Any],
        data: DataT,
        *,
        connection: Any = None,
        delay: timedelta | None = None,
        priority: int = 0,
    ) -> Enqueued: ...

    @overload
    async def enqueue(
        self, job: str, data: Any, *, connection: Any = None, delay: timedelta | None = None, priority: int = 0
    ) -> Enqueued: ...

    @abstractmethod
    async def enqueue(
        self, job: Any, data: Any, *, connection: Any = None, delay: timedelta | None = None, priority: int = 0
    ) -> Enqueued:
        """Enqueue a follow-up job of the same tenant, by its handler or its name; this job is recorded as its parent.

        With the connection of `complete_in` it commits with this job's completion.
        """


class BlockingContext(Protocol):
    """`JobContext`'s awaitable calls, blocking, for handlers that run in a thread or a process of their own."""

    def progress(self, percent: float, message: str | None = None) -> None: ...

    def heartbeat(self) -> None: ...

    def detail(
        self, step_name: str, status: str, *, result: Any = None, metadata: Mapping[str, Any] | None = None
    ) -> UUID: ...

    def step(self, name: str, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T: ...

    def once(self, key: str) -> bool: ...

    def complete_in(self, connection: Any, *, result: Any = None) -> AbstractContextManager[Any]:
        """As `JobContext.complete_in`, with a blocking connection of the handler's own, without an open transaction.

        That is psycopg's `Connection`, or SQLAlchemy's `Connection` or `Session`. Not in a process of its own.
        """
        ...

    @overload
    def enqueue(
        self,
        job: Callable[[JobContext, DataT], Any],
        data: DataT,
        *,
        connection: Any = None,
        delay: timedelta | None = None,
        priority: int = 0,
    ) -> Enqueued: ...

    @overload
    def enqueue(
        self, job: str, data: Any, *, connection: Any = None, delay: timedelta | None = None, priority: int = 0
    ) -> Enqueued: ...

    def enqueue(
        self, job: Any, data: Any, *, connection: Any = None, delay: timedelta | None = None, priority: int = 0
    ) -> Enqueued:
        """Enqueue a follow-up job; with a blocking `connection` of the handler's own, in its transaction."""
        ...
