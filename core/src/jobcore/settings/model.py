"""The settings: read once at start-up, checked whole, immutable afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path as FilePath
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, Field, PrivateAttr, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from jobcore.errors import ConfigurationError
from jobcore.settings.database import DatabaseSettings
from jobcore.settings.editions import Edition, default_runner
from jobcore.settings.environment import read_environment
from jobcore.settings.files import read_file
from jobcore.settings.layers import Layer, Layers
from jobcore.settings.problems import Path, describe_problems, keys_of, unknown_key
from jobcore.settings.sections import (
    DashboardSettings,
    Environment,
    LimitsSettings,
    LogSettings,
    PluginSettings,
    RouteSettings,
    TemporalSettings,
    WorkerSettings,
)
from jobcore.settings.unknown import check_sections, without_unknown
from jobcore.settings.values import AnyCase, AsTable, NameList, PluginName

ModelT = TypeVar("ModelT", bound=BaseModel)

_NO_LAYERS = Layers(())
_layers: ContextVar[Layers] = ContextVar("jobcore_settings_layers", default=_NO_LAYERS)


class Settings(BaseSettings):
    """All settings of core; a plugin reads its own with `section`.

    Make one with `Settings.load()`, which reads variables and file; `Settings(...)` takes its arguments only.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    runner: PluginName | None = None
    """The runner for jobs for which nothing else names one (`JOB_RUNNER_TYPE`); see `chosen_runner`."""
    fallback_to_pgboss: bool = True
    """Whether jobs move to the Community runner while the chosen one's engine is away (F05, F08)."""
    storage: PluginName = "postgres"
    """The storage (`JOBCORE_STORAGE`)."""
    edition: Annotated[Edition, AnyCase] = Edition.COMMUNITY
    env: Annotated[Environment, AnyCase] = "production"
    handlers: NameList = ()
    """Modules of the application whose job definitions its workers serve."""
    database: DatabaseSettings = DatabaseSettings()
    worker: WorkerSettings = WorkerSettings()
    limits: LimitsSettings = LimitsSettings()
    log: LogSettings = LogSettings()
    plugins: PluginSettings = PluginSettings()
    routes: Annotated[dict[str, RouteSettings], AsTable] = Field(default_factory=dict[str, RouteSettings])
    """Patterns of job names to runners, in order: `{"report-*" = "temporal"}`, or with a percentage."""
    temporal: TemporalSettings = TemporalSettings()
    dashboard: DashboardSettings = DashboardSettings()

    _read: Layers = PrivateAttr(default=_NO_LAYERS)
    _again: Callable[[], Settings] | None = PrivateAttr(default=None)

    @classmethod
    def load(
        cls, *, env: Mapping[str, str] | None = None, folder: FilePath | str | None = None, **overrides: Any
    ) -> Self:
        """Read the settings: arguments win over variables, and variables over the file. Blocks for the reading.

        Args:
            env: the variables; the process's own by default.
            folder: where `jobcore.toml` or `pyproject.toml` may stand; the current folder by default.
            overrides: fields of this class as values or mappings, and sections of plugins as mappings.

        Raises:
            ConfigurationError: with one line for each wrong setting: how it was written, the shape of its value, and
                what is accepted. Values are not quoted.
        """
        variables = without_unknown(os.environ if env is None else env, set(cls.model_fields))
        layers = Layers.of(
            Layer(_as_tables(overrides), _name_of_argument),
            read_environment(variables),
            read_file(FilePath.cwd() if folder is None else FilePath(folder), variables),
        )
        with _reading(layers):
            try:
                settings = cls()
            except ValidationError as error:
                lines = describe_problems(error, cls, layers.name_of, own=True)
            else:
                settings._read = layers
                settings._again = partial(cls.load, env=env, folder=folder, **overrides)
                return settings
        raise ConfigurationError("The settings cannot be used:\n  " + "\n  ".join(lines))

    def again(self) -> Settings:
        """Return what the same variables, file and arguments say now. Blocks for the reading.

        Raises:
            ConfigurationError: if they cannot be used, or if these settings were not read but made in the program.
        """
        if self._again is None:
            raise ConfigurationError(
                "These settings were made in the program, so there is nothing to be read again: use Settings.load()."
            )
        return self._again()

    def written(self) -> dict[str, Any]:
        """Return what was read, core's and plugins', by key (`worker.concurrency`); a key that is not there has its
        default. Values are as they were written, secrets too."""
        routes = {pattern: route.model_dump() for pattern, route in self.routes.items()}
        flat = {key: value for key, value in self._read.flat().items() if not key.startswith("routes.")}
        return {**flat, "routes": routes}

    def section(self, name: str, model: type[ModelT]) -> ModelT:
        """Return a plugin's own settings: `[tool.jobcore.NAME]` and `JOBCORE_NAME__*`, as `model`.

        Raises:
            ConfigurationError: if they do not fit the model, or hold a key that it does not know.
        """
        values = self._read.section(name)
        lines = [
            unknown_key(self._read.name_of((name, key)), key, keys_of(model))
            for key in values
            if key not in keys_of(model) and model.model_config.get("extra") in {None, "ignore"}
        ]
        try:
            section = model.model_validate(values)
        except ValidationError as error:
            lines += describe_problems(error, model, lambda path: self._read.name_of((name, *path)), own=False)
        else:
            if not lines:
                return section
        raise ConfigurationError(f"The settings of {name!r} cannot be used:\n  " + "\n  ".join(lines))

    def chosen_runner(self, installed: Collection[str]) -> str:
        """Return the runner of this configuration (F02): `JOB_RUNNER_TYPE`, else by edition among `installed`."""
        return self.runner or default_runner(self.edition, installed)

    def check_sections(self, plugins: Collection[str]) -> None:
        """Look at the sections that are neither core's nor one of these plugins', runners and storages.

        One that is nearly a known name is taken for a mistake; others belong to plugins that are not installed, and
        are told in a warning. Raises `ConfigurationError`.
        """
        check_sections(self._read, set(type(self).model_fields), set(plugins))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the names are pydantic-settings'
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read our layers instead of pydantic-settings' own sources, which could not say where a value was written."""
        layers = [_core_values(layer, set(cls.model_fields)) for layer in _layers.get()]
        return (init_settings, *(InitSettingsSource(settings_cls, init_kwargs=values) for values in layers))


@contextmanager
def _reading(layers: Layers) -> Generator[None]:
    token = _layers.set(layers)
    try:
        yield
    finally:
        _layers.reset(token)


def _core_values(layer: Layer, fields: set[str]) -> dict[str, Any]:
    """Leave out the sections of plugins, which check their own."""
    return {key: value for key, value in layer.values.items() if key in fields or not isinstance(value, Mapping)}


def _as_tables(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments as a layer's tree: a section given as an object counts with what was set in it."""
    return {
        key: {name: getattr(value, name) for name in value.model_fields_set} if isinstance(value, BaseModel) else value
        for key, value in overrides.items()
    }


def _name_of_argument(path: Path) -> str:
    return f"the argument {'.'.join(path)}"
