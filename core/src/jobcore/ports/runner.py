"""The runner port: an engine that takes jobs, gives them to workers, and hears how they ended."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from jobcore.models import Claim, Enqueued, NewJob, Settlement
from jobcore.ports.context import AbortSignal, TenantDatabase
from jobcore.ports.reload import Reloadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a runner can honour. A request for what it cannot is refused at enqueue, with the field's name."""

    delayed: bool = True
    recurring: bool = True
    priority: bool = True
    ordered: bool = True
    """Whether jobs of one queue begin strictly by their priorities, and those of one by their enqueues; else only more
    or less."""
    cancel_running: bool = True
    transactional_enqueue: bool = False
    """Whether an enqueue can join the caller's own transaction."""
    complete_in: bool = False
    flow_control: bool = False
    """Whether jobs may wait for their admission: for limits, for other jobs, for the end of a pause."""
    progress: bool = True
    durable: bool = True
    """Whether accepted jobs survive the process."""
    executions: frozenset[str] = frozenset({"async", "thread", "process"})
    cancel_latency: timedelta = timedelta(seconds=1)
    """How long a cancellation may take to reach a running handler."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a runner is."""

    healthy: bool
    runner_type: str
    detail: str = ""
    """What is wrong, and what to do."""
    queue_size: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])


class ClaimSession(Protocol):
    """What the executor may ask the engine for while it runs one claim. Every call raises `StaleClaimError` once the
    claim is lost."""

    async def progress(self, percent: float, message: str | None) -> None: ...

    async def heartbeat(self) -> None: ...

    async def write_detail(
        self, step_name: str, status: str, result: bytes | None, metadata: Mapping[str, Any] | None
    ) -> UUID: ...

    async def load_steps(self) -> Mapping[str, bytes]:
        """Return every stored step of the job: key (`name#occurrence`) to result as JSON."""
        ...

    async def save_step(self, key: str, result: bytes) -> bytes:
        """Store a step's result unless it has one; return the stored one."""
        ...

    async def settle_in(self, connection: Any, settlement: Settlement) -> None:
        """Write the settlement in the transaction of `connection`, without committing it."""
        ...

    async def enqueue_in(self, connection: Any, jobs: Sequence[NewJob]) -> Sequence[Enqueued]: ...

    @property
    def database(self) -> TenantDatabase | None: ...


class ClaimExecutor(Protocol):
    """Runs a claim to its settlement. Implemented by `jobcore.execution`; runners only call it."""

    async def execute(self, claim: Claim, session: ClaimSession, abort: AbortControl) -> Settlement:
        """Run the handler of `claim` and say how it ended. Never raises for what a handler does; a cancellation of the
        calling task passes through after the handler was stopped."""
        ...


class AbortControl(AbortSignal, Protocol):
    """The runner's end of an abort signal."""

    def abort(self, reason: str, *, by: str | None = None, kind: str = "cancelled") -> None:
        """Tell the handler to stop. The first call wins; safe from any thread. `kind` is `cancelled`, `superseded`,
        `lost` (the claim is gone, nothing will be written) or `shutdown`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerHost:
    """What the application gives a worker."""

    executor: ClaimExecutor
    new_abort: Callable[[], AbortControl]
    queues: Mapping[str, frozenset[str]]
    """Queue name to the names of the handlers that share it."""
    submit: Callable[[Sequence[NewJob], Any], Awaitable[Sequence[Enqueued]]]
    """Enqueue jobs on whichever runner each names, in the transaction of the given connection (schedules fire so)."""
    plan_fire: Callable[..., NewJob]
    """Make the job of one fire, with its schedule, fire time and jitter: `plan_fire(schedule, fire_time)`."""
    observe: Any
    """The composed `Observer`."""
    engine_options: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(
        default_factory=dict[str, Mapping[str, Mapping[str, Any]]]
    )
    """By handler: what it tells single engines, by their names."""
    look_around: Callable[[], None] = field(default=lambda: None)
    """To be called when somebody tells all workers of this database something: the application looks what it is."""
    concurrency: int = 10
    grace: timedelta = timedelta(seconds=30)


class Worker(ABC):
    """A consumer of one engine's queues within this process."""

    worker_id: UUID

    @abstractmethod
    async def start(self) -> None:
        """Begin to claim and run jobs; returns once the worker is ready. Raises `StorageUnavailableError` and
        `SchemaVersionError`."""

    @abstractmethod
    async def drain(self) -> None:
        """Stop claiming, wait for the running jobs without limit, then close. May be overtaken by `stop`."""

    @abstractmethod
    async def stop(self, grace: timedelta | None = None) -> None:
        """Stop claiming, wait up to `grace` for running jobs, abort what is left and hand it back, then close."""

    @abstractmethod
    def running(self) -> Sequence[Claim]:
        """The claims whose handlers run now."""

    @abstractmethod
    def resize(self, concurrency: int) -> None:
        """Work so many jobs at a time from now on. Running ones go on: with fewer, none begins until enough have ended.
        To be called on the worker's own event loop."""

    @abstractmethod
    async def wait_closed(self) -> None:
        """Return once the worker has stopped. Raises what made it stop, if it was not asked to."""


class JobRunner(Reloadable, ABC):
    """An engine. Everything is keyed by tenant; every call is safe to repeat."""

    runner_type: str
    capabilities: Capabilities
    fallback: str | None = None
    """The runner that takes this one's jobs while its engine is away; whoever works this one works that one too."""

    @abstractmethod
    async def open(self) -> None:
        """Connect and check the engine. Raises `StorageUnavailableError`, `SchemaVersionError`."""

    @abstractmethod
    async def close(self) -> None:
        """Release what `open` took. Waits for enqueues under way."""

    @abstractmethod
    async def submit(self, jobs: Iterable[NewJob], *, connection: Any = None) -> Sequence[Enqueued]:
        """Accept jobs: each has its `jobs` row, and will run, once this returns (or once `connection` commits).

        All or none of them. The answers stand in the order of `jobs`. The jobs may be planned while they are asked
        for: what that raises has to come out, with nothing accepted. Those of a large call are `AlikeJobs` where they
        differ in nothing but id, tenant and payload; a runner that stores by columns may read them so.
        """

    @abstractmethod
    async def cancel(
        self, tenant: UUID, job_id: UUID, *, reason: str | None = None, cancelled_by: str | None = None
    ) -> bool:
        """Cancel a job that has not ended: a waiting one at once, a running one through its abort signal.

        Returns false if it had ended, or does not exist.
        """

    @abstractmethod
    async def retry(self, tenant: UUID, job_id: UUID) -> bool:
        """Queue an ended job again, by an operator's wish, with its attempts renewed. False if it has not failed or
        been cancelled."""

    @abstractmethod
    async def queue_sizes(self, queues: Sequence[str] | None = None) -> Mapping[str, int]:
        """How many jobs wait in each queue, delayed ones included; none in a queue that nobody knows."""

    async def unrecorded(self) -> Mapping[str, int]:
        """How many jobs wait in each queue that others put there and that have no row in `jobs`; none, as here, where
        nobody else can."""
        return {}

    @abstractmethod
    async def health(self) -> Health:
        """Ask the engine. Never raises for an engine that is away: that is the answer. Bounded to 5 seconds."""

    @abstractmethod
    def worker(self, host: WorkerHost) -> Worker:
        """Make a worker; it starts with `start()`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerContext:
    """What a runner's factory gets."""

    settings: Any
    """`jobcore.settings.Settings`."""
    store: Any
    """The `JobStore` in use."""
