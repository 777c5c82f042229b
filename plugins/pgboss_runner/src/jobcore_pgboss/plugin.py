"""The plugin's entry point: light, so that listing plugins imports no driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobcore.plugins.hooks import hookimpl
from jobcore.ports.runner import JobRunner, RunnerContext
from jobcore_pgboss.identity import CAPABILITIES, RUNNER_TYPE

if TYPE_CHECKING:
    from jobcore.plugins.registries import RunnerRegistry


@hookimpl
def jobcore_register_runners(registry: RunnerRegistry) -> None:
    """Register the runner `pgboss`."""
    registry.register_runner(RUNNER_TYPE, make_runner, capabilities=CAPABILITIES)


def make_runner(context: RunnerContext) -> JobRunner:
    """Make the runner from the settings and the store in use; the driver is imported here."""
    from jobcore_pgboss.runner import PgBossRunner
    from jobcore_pgboss.settings import PgBossSettings

    return PgBossRunner(store=context.store, settings=context.settings.section("pgboss", PgBossSettings))
