"""The order of the checks: each needs what those before it found well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobcore.cli.doctor.configuration import check_event_loop, check_plugins, check_settings
from jobcore.cli.doctor.diagnosis import Diagnosis, fault, skipped, well
from jobcore.cli.doctor.installation import check_distributions, check_python
from jobcore.cli.doctor.operation import ask_plugins, check_operation
from jobcore.errors import JobcoreError

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.settings import Settings


async def examine() -> Diagnosis:
    """Make all checks that can be made. Never raises for what it finds."""
    diagnosis = Diagnosis()
    diagnosis.add(check_python(), check_distributions())
    finding, settings = check_settings()
    diagnosis.add(finding)
    if settings is None:
        diagnosis.add(skipped("plugins", "the settings cannot be read"))
        return diagnosis
    diagnosis.add(check_event_loop(settings))
    findings, loaded = check_plugins(settings)
    diagnosis.add(*findings)
    if loaded is None or diagnosis.failed:
        diagnosis.add(skipped("operation", "what is needed is not there"))
        return diagnosis
    app = _make_app(settings, diagnosis)
    if app is not None:
        diagnosis.add(*await ask_plugins(app))
        diagnosis.add(*await check_operation(app))
    return diagnosis


def _make_app(settings: Settings, diagnosis: Diagnosis) -> JobApp | None:
    """Make the application with all its handlers, as a worker would; tell if that fails."""
    from jobcore.app.facade import JobApp

    try:
        app = JobApp(settings)
    except JobcoreError as error:
        diagnosis.add(fault("application", str(error)))
        return None
    names = app.registry.get_registered_names()
    advice = "" if names else "Name modules of jobs in the setting handlers, or install a plugin with handlers."
    diagnosis.add(well("handlers", ", ".join(names) or "none is registered", advice))
    return app
