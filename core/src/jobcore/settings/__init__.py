"""The settings of jobcore: from arguments, environment variables and a TOML file, checked at start-up."""

from jobcore.settings.database import DatabaseSettings
from jobcore.settings.editions import Edition, default_runner, require_edition
from jobcore.settings.model import Settings
from jobcore.settings.names import FOUNDING_VARIABLES, variable_of
from jobcore.settings.sections import (
    DashboardSettings,
    LimitsSettings,
    LogSettings,
    PluginSettings,
    RouteSettings,
    TemporalSettings,
    WorkerSettings,
)

__all__ = [
    "FOUNDING_VARIABLES",
    "DashboardSettings",
    "DatabaseSettings",
    "Edition",
    "LimitsSettings",
    "LogSettings",
    "PluginSettings",
    "RouteSettings",
    "Settings",
    "TemporalSettings",
    "WorkerSettings",
    "default_runner",
    "require_edition",
    "variable_of",
]
