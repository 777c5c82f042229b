"""The runners of an application: which one takes a job, and each opened when it is first needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from jobcore.errors import ConfigurationError, JobcoreError
from jobcore.models import NewJob
from jobcore.plugins.required import chosen_runner, require_runner, runner_hints, runners_refused
from jobcore.policies.routing import WHOLE, Choice, Route, Runners, choose_runner
from jobcore.ports.reload import Reloadable
from jobcore.ports.runner import Capabilities, JobRunner, RunnerContext, WorkerHost
from jobcore.ports.store import JobStore
from jobcore.settings import Settings, variable_of

if TYPE_CHECKING:
    from jobcore.plugins.loaded import LoadedPlugins


@runtime_checkable
class InProcessRunner(Protocol):
    """A runner that can run jobs without a worker: it wants to know the application's host as soon as it is open."""

    def attach(self, host: WorkerHost) -> None: ...


class RunnerPool(Reloadable):
    """Chooses among the registered runners, and keeps those that are open."""

    def __init__(self, settings: Settings, plugins: LoadedPlugins, store: JobStore) -> None:
        self._settings = settings
        self._plugins = plugins
        self._store = store
        self._open: dict[str, JobRunner] = {}
        self._opening = asyncio.Lock()
        self._host: Callable[[], WorkerHost] | None = None
        self._choices = Runners(
            installed=frozenset(
                name for name, runner in plugins.runners.items() if settings.edition.includes(runner.edition)
            ),
            refused=runners_refused(plugins, settings.edition),
            hints=runner_hints(plugins),
        )
        self._routes = _routes_of(settings)
        self.default = chosen_runner(plugins, settings)

    def name_for(self, job: NewJob, *, explicit: str | None, handler: str | None) -> str:
        """Return the runner that takes a job, without weighing anything where nothing but the default can be meant.

        Raises:
            UnknownRunnerError, EditionError: if the wanted runner is not there.
        """
        if explicit or handler or self._each_is_asked:
            return self.choose(job, explicit=explicit, handler=handler).runner
        return self.default

    def same_for_all(self, *, explicit: str | None, handler: str | None) -> str | None:
        """Return the runner that takes every job for which these are named; `None` if each has to be looked at."""
        return explicit or handler or (None if self._each_is_asked else self.default)

    def usual_for(self, name: str, *, handler: str | None) -> str | None:
        """Return the runner of a handler's jobs where nothing is known of one; `None` if it is not installed here.

        Routes for a share of the jobs, and plugins that choose job by job, are left out.
        """
        routed = (route.runner for route in self._routes if route.percent == WHOLE and route.covers(name))
        usual = handler or next(routed, self.default)
        return usual if usual in self._choices.installed else None

    @property
    def _each_is_asked(self) -> bool:
        return bool(self._routes) or self._plugins.select_runners

    def choose(self, job: NewJob, *, explicit: str | None, handler: str | None) -> Choice:
        """Say which runner takes a job; its draft names the default one.

        Raises:
            UnknownRunnerError, EditionError: if the wanted runner is not there.
        """
        return choose_runner(
            job.name,
            job.job_id,
            self._choices,
            explicit=explicit,
            handler=handler,
            routes=self._routes,
            ask_hook=lambda: self._plugins.select_runner(job),
            configured=self.default,
        )

    @property
    def changeable(self) -> frozenset[str]:
        return frozenset({"routes"})

    def reload(self, settings: Settings) -> Callable[[], None]:
        routes = _routes_of(settings)
        for route in routes:
            self._require_served(route)

        def apply() -> None:
            self._routes = routes

        return apply

    def _require_served(self, route: Route) -> None:
        try:
            require_runner(route.runner, self._plugins, self._settings.edition)
        except JobcoreError as error:
            raise ConfigurationError(f"The route {route.pattern!r}: {error}") from error

    def capabilities(self, name: str) -> Capabilities:
        return self._plugins.runners[name].capabilities

    def names_in_use(self, wanted_by_handlers: Sequence[str | None]) -> list[str]:
        """Return the runners that jobs of this application may go to: the default one first."""
        named = [*wanted_by_handlers, *(route.runner for route in self._routes), *self._open]
        return list(dict.fromkeys([self.default, *(name for name in named if name in self._choices.installed)]))

    def host_with(self, host: Callable[[], WorkerHost]) -> None:
        """Remember what to give to runners that run jobs without a worker."""
        self._host = host

    async def get(self, name: str) -> JobRunner:
        """Return a runner, opened. Raises what `JobRunner.open` raises, `UnknownRunnerError` and `EditionError`."""
        if name in self._open:
            return self._open[name]
        async with self._opening:
            if name not in self._open:
                self._open[name] = await self._make(name)
            return self._open[name]

    def fallback_of(self, runner: JobRunner) -> str | None:
        """Return the runner that takes another one's jobs while its engine is away; `None` if none does.

        Raises:
            ConfigurationError: if it is not there, with what to do.
        """
        if runner.fallback is None:
            return None
        setting = variable_of(("fallback_to_pgboss",))
        try:
            require_runner(runner.fallback, self._plugins, self._settings.edition, setting)
        except JobcoreError as error:
            raise ConfigurationError(
                f"{setting} is on, and what takes the jobs of {runner.runner_type!r} while its engine is away is not "
                f"there. {error} Or set {setting}=false: jobs then wait until the engine is back."
            ) from error
        return runner.fallback

    def opened(self) -> Mapping[str, JobRunner]:
        return dict(self._open)

    async def close(self) -> None:
        """Close the open runners, the last opened first."""
        while self._open:
            _, runner = self._open.popitem()
            await runner.close()

    async def _make(self, name: str) -> JobRunner:
        require_runner(name, self._plugins, self._settings.edition)
        context = RunnerContext(settings=self._settings, store=self._store)
        runner = self._plugins.runners[name].factory(context)
        await runner.open()
        if self._host is not None and isinstance(runner, InProcessRunner):
            runner.attach(self._host())
        return runner


def _routes_of(settings: Settings) -> tuple[Route, ...]:
    return tuple(Route(pattern, route.runner, route.percent) for pattern, route in settings.routes.items())
