"""The plugin's entry point: light, so that listing plugins imports no driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobcore.plugins.hooks import hookimpl
from jobcore.ports.runner import JobRunner, RunnerContext
from jobcore_pgboss.identity import CAPABILITIES, RUNNER_TYPE
from jobcore_pgboss.reasons import FINDERS

if TYPE_CHECKING:
    from jobcore.plugins.registries import ReasonRegistry, RunnerRegistry


@hookimpl
def jobcore_register_runners(registry: RunnerRegistry) -> None:
    """Register the runner `pgboss`."""
    registry.register_runner(RUNNER_TYPE, make_runner, capabilities=CAPABILITIES)


@hookimpl
def jobcore_register_reasons(registry: ReasonRegistry) -> None:
    """Register what the queue knows of jobs that do not run."""
    for code, finder in FINDERS.items():
        registry.add(code, finder, runner=RUNNER_TYPE)


def make_runner(context: RunnerContext) -> JobRunner:
    """Make the runner from the settings and the store in use; the driver is imported here."""
    from jobcore_pgboss.runner import PgBossRunner
    from jobcore_pgboss.settings import PgBossSettings

    return PgBossRunner(store=context.store, settings=context.settings.section("pgboss", PgBossSettings))
