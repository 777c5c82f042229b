"""The plugin's entry point: light, so that listing plugins imports neither the driver nor the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobcore.plugins.hooks import hookimpl
from jobcore.ports.runner import JobRunner, RunnerContext
from jobcore_temporal.identity import CAPABILITIES, RUNNER_TYPE

if TYPE_CHECKING:
    from jobcore.plugins.registries import CheckRegistry, CheckResult, CommandRegistry, ReasonRegistry, RunnerRegistry


@hookimpl
def jobcore_register_runners(registry: RunnerRegistry) -> None:
    """Register the runner `temporal`."""
    registry.register_runner(RUNNER_TYPE, make_runner, capabilities=CAPABILITIES)


@hookimpl
def jobcore_register_reasons(registry: ReasonRegistry) -> None:
    """Register what the outbox and Temporal know of jobs that do not run."""
    from jobcore_temporal.reasons import FINDERS

    for code, finder in FINDERS.items():
        registry.add(code, finder, runner=RUNNER_TYPE)


@hookimpl
def jobcore_register_checks(registry: CheckRegistry) -> None:
    """Register what `jobcore doctor` asks."""

    async def check(app: Any) -> CheckResult:
        from jobcore.plugins.registries import CheckResult
        from jobcore_temporal.checks import check_server
        from jobcore_temporal.settings import TemporalRunnerSettings

        if RUNNER_TYPE not in {app.default_runner, *(route.runner for route in app.settings.routes.values())}:
            return CheckResult(RUNNER_TYPE, True, "no job goes to Temporal by these settings")
        return await check_server(app.settings.section(RUNNER_TYPE, TemporalRunnerSettings))

    registry.add(RUNNER_TYPE, check)


@hookimpl
def jobcore_register_cli(commands: CommandRegistry) -> None:
    """Register `jobcore temporal`."""
    commands.add("temporal", "jobcore_temporal.cli:app", "Prepare a Temporal server for jobcore.")


def make_runner(context: RunnerContext) -> JobRunner:
    """Make the runner from the settings and the store in use; the driver is imported here, the SDK on use."""
    from jobcore_temporal.runner import TemporalRunner
    from jobcore_temporal.settings import TemporalRunnerSettings

    return TemporalRunner(
        store=context.store,
        settings=context.settings.section("temporal", TemporalRunnerSettings),
        fallback=context.settings.fallback_to_pgboss,
    )
