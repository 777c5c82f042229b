"""The plugin's entry point: light, so that listing plugins starts and imports nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobcore.plugins.hooks import hookimpl

if TYPE_CHECKING:
    from jobcore.plugins.registries import CommandRegistry


@hookimpl
def jobcore_register_cli(commands: CommandRegistry) -> None:
    """Register `jobcore dev`."""
    commands.add("dev", "jobcore_devkit.cli:app", "Run a database, its migrations and a worker, for development.")
