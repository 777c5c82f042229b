"""The application: one object that enqueues, looks up, schedules and works jobs on whichever engine is configured."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID
from weakref import WeakSet

from jobcore.app import assembly
from jobcore.app.announced import AnnouncedHandlers
from jobcore.app.control import JobControl
from jobcore.app.cutover import Cutovers
from jobcore.app.enqueues import Enqueues
from jobcore.app.handle import AppJobHandle
from jobcore.app.health import AppHealth, ask_health
from jobcore.app.hosting import Hosting, served_queues
from jobcore.app.planner import Planner
from jobcore.app.queries import JobId, TenantId, parse_job_id
from jobcore.app.quotas import JobQuotas
from jobcore.app.reload import Reloader, Reloads
from jobcore.app.runners import RunnerPool
from jobcore.app.schedules import Schedules
from jobcore.app.services import ServiceContainer
from jobcore.app.signals import Stopper, start_and_work_until_stopped
from jobcore.app.submission import Submission
from jobcore.app.why import explain_job
from jobcore.app.workers import AppWorker
from jobcore.errors import ConfigurationError
from jobcore.execution import compose_observers
from jobcore.handlers.registry import AnyHandler, JobHandlerRegistry
from jobcore.ids import parse_tenant
from jobcore.models import Enqueued, Schedule
from jobcore.ports.middleware import Middleware
from jobcore.ports.observer import Observer
from jobcore.ports.reasons import Explanation
from jobcore.ports.reload import Reloadable
from jobcore.ports.runner import JobRunner
from jobcore.ports.store import JobStore
from jobcore.settings import Settings

if TYPE_CHECKING:
    from types import TracebackType


class JobApp(Enqueues, JobControl, JobQuotas, Cutovers, Reloads):
    """Put together at once, connected by `open` or `async with`. Belongs to the event loop that opens it.

    Args:
        settings: by default `Settings.load()`: environment variables and the settings file.
        handlers: definitions made by `@job`, modules that hold some, or the founding documents' configurations.
        plugins: further plugins, modules or objects with hook implementations, beside the installed ones.
        services: what handlers find under `ctx.services`: instances, or a mapping from type to instance.
        runner: a runner's name or a runner, instead of the configured one.
        store: a storage's name or a store, instead of the configured one.
        middleware: code around every handler, the first outermost.
        observers: told what happens.

    Raises:
        ConfigurationError, PluginError: if settings or plugins do not allow a start; the message says what to do.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        handlers: Iterable[assembly.HandlerSource] = (),
        plugins: Iterable[Any] = (),
        services: Iterable[Any] | Mapping[type, Any] = (),
        runner: str | JobRunner | None = None,
        store: str | JobStore | None = None,
        middleware: Iterable[Middleware] = (),
        observers: Iterable[Observer] = (),
    ) -> None:
        store = assembly.store_beside(runner, store)
        self.settings = assembly.settings_for(settings, runner, store)
        given = assembly.Given(
            handlers=tuple(handlers),
            runner=runner if isinstance(runner, JobRunner) else None,
            store=store if isinstance(store, JobStore) else None,
            middleware=tuple(middleware),
            observers=tuple(observers),
            modules=self.settings.handlers,
        )
        self.plugins = assembly.load_plugins(self.settings, given, plugins)
        self.registry: JobHandlerRegistry = self.plugins.handlers
        self.services = ServiceContainer(services)
        self.store: JobStore = self.plugins.storages[self.settings.storage].factory(self.settings)
        self.schedules = Schedules(self)
        self._runners = RunnerPool(self.settings, self.plugins, self.store)
        self._observer = compose_observers(self.plugins.observers)
        self.submission = Submission(self._runners, self._observer)
        self.announced = AnnouncedHandlers(self.registry, self.store)
        self.planner = Planner(self.registry, self._runners, self.announced, limits=self.settings.limits.payload)
        self._reloader = Reloader(self.settings)
        self._listening = WeakSet[Reloadable]()
        self._hosting: Hosting | None = None
        self._changing = asyncio.Lock()
        self.plugins.app_configured(self)

    # -- life ----------------------------------------------------------------------------------------------------------

    async def open(self) -> Self:
        """Connect to the storage and to the default runner.

        Raises:
            StorageUnavailableError, SchemaVersionError: from either; what was opened is closed again.
        """
        async with self._changing:
            if self._hosting is None:
                await self.store.open()
                self._hosting = self._new_hosting()
                try:
                    await self._runners.get(self._runners.default)
                    await self.announced.refresh()
                except BaseException:
                    await self._shut(self._hosting)
                    raise
        return self

    async def close(self) -> None:
        """Close the runners and the storage. Workers are stopped by those who started them, before."""
        async with self._changing:
            if self._hosting is not None:
                await self._shut(self._hosting)

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def is_open(self) -> bool:
        return self._hosting is not None

    @property
    def default_runner(self) -> str:
        """The runner of jobs for which nothing else names one."""
        return self._runners.default

    async def runner(self, name: str | None = None) -> JobRunner:
        """Return a runner, opened; the default one without a name. Raises `UnknownRunnerError`, `EditionError`."""
        self._require_open()
        return await self._runners.get(name or self._runners.default)

    # -- jobs ----------------------------------------------------------------------------------------------------------

    def handle(self, tenant: TenantId, job_id: JobId) -> AppJobHandle[Any]:
        """Return the handle of a job by its ids, without looking whether it exists."""
        return AppJobHandle(self, parse_tenant(tenant), parse_job_id(job_id))

    async def why(self, job_id: JobId, *, tenant: TenantId, for_operator: bool = False) -> Explanation:
        """Say why a job is not running: every reason that core and plugins find, the gravest first. Changes nothing.

        Args:
            for_operator: whether whoever asks may see every tenant. Without it the answer, which may be shown to the
                job's tenant, names no job of another one.

        Raises:
            JobNotFoundError: if neither the store nor the engine knows the job.
            StorageUnavailableError: if the database cannot be reached.
        """
        self._require_open()
        return await explain_job(self, parse_tenant(tenant), parse_job_id(job_id), for_operator=for_operator)

    # -- schedules -----------------------------------------------------------------------------------------------------

    async def schedule(self, key: str, job: AnyHandler | str, when: Any, data: Any = None, **options: Any) -> Schedule:
        """Make or replace a schedule; see `Schedules.put`."""
        return await self.schedules.put(key, job, when, data, **options)

    async def trigger_schedule(self, tenant: TenantId, key: str) -> AppJobHandle[Any]:
        """Enqueue a job of a schedule now; see `Schedules.trigger`."""
        return await self.schedules.trigger(tenant, key)

    # -- operation -----------------------------------------------------------------------------------------------------

    async def health(self) -> AppHealth:
        """Ask the store and the open runners how they are. Never raises for an engine that is away."""
        return await ask_health(self.store, self._runners)

    async def queue_sizes(self, queues: Sequence[str] | None = None) -> dict[str, int]:
        """Return how many jobs wait in each queue, over all open runners."""
        sizes: dict[str, int] = {}
        for runner in self._runners.opened().values():
            for queue, size in (await runner.queue_sizes(queues)).items():
                sizes[queue] = sizes.get(queue, 0) + size
        return sizes

    def worker(self, queues: Iterable[str] | None = None, concurrency: int | None = None) -> AppWorker:
        """Make a worker, which starts with `start()`.

        Args:
            queues: which queues to serve; by default those of the settings, or all that have a handler here.
            concurrency: jobs at a time on each engine.

        Raises:
            ConfigurationError: if a queue has no handler here.
        """
        wanted = queues if queues is not None else self.settings.worker.queues
        worker = AppWorker(
            self._require_open(),
            self._runners,
            self.store,
            self.announced,
            queues=served_queues(self.registry, wanted),
            concurrency=concurrency,
            reload=self.reload,
        )
        self.takes_over(worker)
        return worker

    async def run_worker(
        self, queues: Iterable[str] | None = None, concurrency: int | None = None, *, handle_signals: bool = True
    ) -> None:
        """Work until stopped: by SIGTERM or SIGINT, which wait for the running jobs; a second one hands them back."""
        worker = self.worker(queues, concurrency)
        await start_and_work_until_stopped(worker, *([Stopper.hear_signals] if handle_signals else []))

    # -- details -------------------------------------------------------------------------------------------------------

    def _handle(self, tenant: UUID, enqueued: Enqueued, definition: AnyHandler | None) -> AppJobHandle[Any]:
        return AppJobHandle(
            self,
            tenant,
            enqueued.job_id,
            deduplicated=enqueued.deduplicated,
            external_id=enqueued.external_id,
            definition=definition,
        )

    def _new_hosting(self) -> Hosting:
        hosting = Hosting.of(
            self.settings,
            self.registry,
            self.planner,
            self.submission,
            services=self.services,
            middleware=self.plugins.middleware,
            observer=self._observer,
        )
        self._runners.host_with(hosting.host)
        return hosting

    async def _shut(self, hosting: Hosting) -> None:
        self._hosting = None
        try:
            await self._runners.close()
        finally:
            await hosting.executor.close()
            await self.store.close()

    def _require_open(self) -> Hosting:
        if self._hosting is None:
            raise ConfigurationError(
                "This JobApp is not open: write 'async with JobApp(...) as app:', or await app.open()."
            )
        return self._hosting
