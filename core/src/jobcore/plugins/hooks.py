"""The hooks: what a plugin may implement, each with its exact signature.

A plugin is a light module, named by an entry point of the group `jobcore`. It implements the hooks it needs:

    from jobcore.plugins.hooks import hookimpl

    @hookimpl
    def jobcore_register_handlers(registry):
        registry.register(send_reminder)

Hooks are plain functions, called at start-up, and do no I/O: they register factories, and the ports run. An argument
that an implementation does not need may be left out of its signature. The one hook that is called later is
`jobcore_select_runner`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from jobcore.handlers.registry import JobHandlerRegistry
    from jobcore.models import NewJob
    from jobcore.plugins.registries import (
        CheckRegistry,
        CommandRegistry,
        MiddlewareRegistry,
        ObserverRegistry,
        PanelRegistry,
        ReasonRegistry,
        RegisteredRunner,
        RunnerRegistry,
        StorageRegistry,
    )
    from jobcore.settings import Settings

PROJECT = "jobcore"
"""pluggy's project name, and the one entry-point group."""

PLUGIN_API_VERSION = "1.0"
"""The version of these hooks and of the ports. A manifest's `api` range is checked against it."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def jobcore_register_runners(registry: RunnerRegistry, settings: Settings) -> None:
    """Register the runners of this plugin: `registry.register_runner(name, factory, capabilities=...)`.

    The factory is called when the runner is first needed, with a `jobcore.ports.runner.RunnerContext`; import the
    driver or the SDK there, not in the plugin's module. Read the plugin's own settings with
    `settings.section(name, Model)`.
    """


@hookspec
def jobcore_register_storages(registry: StorageRegistry, settings: Settings) -> None:
    """Register the storages of this plugin: `registry.register_storage(name, factory)`.

    The factory is called when the storage is first needed, with the settings, and returns a
    `jobcore.ports.store.JobStore` that is not yet open.
    """


@hookspec
def jobcore_register_handlers(registry: JobHandlerRegistry) -> None:
    """Register job handlers: `registry.register(definition)`, with the definitions that `@job` made."""


@hookspec
def jobcore_register_middleware(registry: MiddlewareRegistry) -> None:
    """Register code that runs around every handler: `registry.add(middleware, order=0)`, the lowest order outermost.

    Of equal orders the first registered is outermost: plugins by distribution and entry point, then the application.
    """


@hookspec
def jobcore_register_observers(registry: ObserverRegistry) -> None:
    """Register observers, which hear what happens to jobs and runners: `registry.add(observer, order=0)`.

    The lowest order is told first; of equal ones the first registered, as for middleware.
    """


@hookspec
def jobcore_register_cli(commands: CommandRegistry) -> None:
    """Register commands of the `jobcore` program: `commands.add("name", "module:attribute", "help")`.

    The attribute is a typer app or a function; its module is imported when somebody calls the command.
    """


@hookspec
def jobcore_register_panels(registry: PanelRegistry) -> None:
    """Register panels of the dashboard: `registry.add("name", "Title", "module:attribute")`."""


@hookspec
def jobcore_register_checks(registry: CheckRegistry) -> None:
    """Register checks of `jobcore doctor`: `registry.add("name", check)`.

    `check` is an async function that takes the app and returns a `jobcore.plugins.registries.CheckResult`.
    """


@hookspec
def jobcore_register_reasons(registry: ReasonRegistry) -> None:
    """Register finders of `jobcore why`, each of one reason: `registry.add("code", finder, runner=None)`.

    A finder is a `jobcore.ports.ReasonFinder`: its async `explain(question)` says why a job is not running, or `None`.
    """


@hookspec
def jobcore_app_configured(app: Any) -> None:
    """Hear that the app is complete: all is registered, nothing is open yet. Called once for each app."""


@hookspec(firstresult=True)
def jobcore_select_runner(job: NewJob, runners: Mapping[str, RegisteredRunner]) -> str | None:
    """Name the runner for this job, or return `None` to leave the choice to the next plugin and to the settings.

    Asked at every enqueue for which neither the caller, nor the handler, nor a route names a runner, so it must be
    quick and must not block. `job.runner_type` is the runner that the settings would choose; `runners` are the
    registered ones by name. The first answer wins. A plugin that raises, or names a runner that is not registered, is
    skipped with a warning.
    """


HOOK_NAMES = tuple(sorted(name for name in globals() if name.startswith(f"{PROJECT}_")))
"""Every hook, by name."""
