"""`jobcore temporal`: prepare a Temporal server for jobcore. The SDK is loaded when a command runs."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from jobcore.cli import output
from jobcore.cli.options import AsJson, read_duration
from jobcore.settings import Settings
from jobcore_temporal.settings import TemporalRunnerSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.callback()
def temporal() -> None:
    """Prepare a Temporal server for jobcore."""


@app.command()
def setup(as_json: AsJson = False) -> None:
    """Register the search attributes that workflows carry if `temporal.search_attributes` is set.

    In the namespace of the settings, which has to be there. Those that are registered stay; it may be run again.
    """
    settings = Settings.load().section("temporal", TemporalRunnerSettings)
    added = asyncio.run(_register(settings))
    if as_json:
        output.show_document({"namespace": settings.namespace, "added": list(added)})
    elif added:
        output.show_line(f"Registered in namespace {settings.namespace}: {', '.join(added)}.")
    else:
        output.show_line(f"Namespace {settings.namespace} has them all.")


@app.command(name="set-current")
def set_current(
    build_id: Annotated[
        str | None, typer.Argument(metavar="BUILD", help="The build; by default that of the settings.")
    ] = None,
    timeout: Annotated[
        str, typer.Option(metavar="DURATION", help="Wait so long for a worker of that build, such as 30 (seconds).")
    ] = "30",
    as_json: AsJson = False,
) -> None:
    """Let jobs go to this build of the deployment that the settings name, from now on.

    It waits for a worker of that build to poll the task queues that the current one serves. Jobs that have begun go on
    as `temporal.deployment.versioning` of their workers says.
    """
    patience = read_duration("--timeout", timeout) or timedelta()
    settings = Settings.load().section("temporal", TemporalRunnerSettings)
    build = build_id or settings.deployment.build_id or ""
    asyncio.run(_make_current(settings, build, patience.total_seconds()))
    if as_json:
        output.show_document({"deployment": settings.deployment.name, "current": build})
    else:
        output.show_line(f"Jobs go to build {build} of deployment {settings.deployment.name} from now on.")


async def _make_current(settings: TemporalRunnerSettings, build_id: str, patience: float) -> None:
    from jobcore_temporal.deployments import make_current

    await make_current(settings, build_id, patience)


async def _register(settings: TemporalRunnerSettings) -> Sequence[str]:
    from jobcore_temporal.attributes import register

    return await register(settings)
