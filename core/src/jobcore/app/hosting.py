"""What the application gives its workers: the executor, the queues, and the ways back into the application."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING

from jobcore.app.planner import Planner
from jobcore.errors import ConfigurationError
from jobcore.execution import Executor
from jobcore.handlers.registry import JobHandlerRegistry
from jobcore.ports.middleware import Middleware
from jobcore.ports.observer import Observer
from jobcore.ports.runner import WorkerHost
from jobcore.settings import Settings

if TYPE_CHECKING:
    from jobcore.app.services import ServiceContainer
    from jobcore.app.submission import Submission

Queues = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Hosting:
    """Makes `WorkerHost`s that share one executor."""

    settings: Settings
    registry: JobHandlerRegistry
    planner: Planner
    submission: Submission
    executor: Executor
    observer: Observer

    @classmethod
    def of(
        cls,
        settings: Settings,
        registry: JobHandlerRegistry,
        planner: Planner,
        submission: Submission,
        *,
        services: ServiceContainer,
        middleware: Sequence[Middleware],
        observer: Observer,
    ) -> Hosting:
        executor = Executor(
            registry,
            services=services,
            middleware=middleware,
            observer=observer,
            plan_child=planner.plan_child,
            submit=submission.submit,
            log_finished=settings.log.finished_jobs,
        )
        return cls(settings, registry, planner, submission, executor, observer)

    def host(self, queues: Queues | None = None, concurrency: int | None = None) -> WorkerHost:
        """Return what a worker of these queues gets; by default all queues, at the configured concurrency."""
        return WorkerHost(
            executor=self.executor,
            new_abort=self.executor.new_abort,
            queues=self.registry.queues() if queues is None else queues,
            engine_options={handler.name: handler.engines for handler in self.registry if handler.engines},
            submit=self.submission.submit,
            plan_fire=self.planner.plan_fire,
            observe=self.observer,
            concurrency=concurrency or self.settings.worker.concurrency,
            grace=timedelta(seconds=self.settings.worker.grace_seconds),
        )


def served_queues(registry: JobHandlerRegistry, wanted: Iterable[str] | None) -> Queues:
    """Return the wanted queues with their handlers; all of them if none are named.

    Raises:
        ConfigurationError: if a wanted queue has no handler here; names near ones.
    """
    known = registry.queues()
    names = list(dict.fromkeys(wanted or ()))
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=3)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are {', '.join(sorted(known))}."
            raise ConfigurationError(f"No handler is registered for queue {name!r}; {hint}")
    return {name: known[name] for name in names} if names else known
