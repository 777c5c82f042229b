"""The founding documents' factory (F01): one runner for the whole process, chosen by configuration."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from jobcore.app.config import JobRunnerConfig
from jobcore.app.facade import JobApp
from jobcore.app.runner_face import JobRunnerFace
from jobcore.errors import ConfigurationError

Config = JobRunnerConfig | Mapping[str, Any] | None


class JobRunnerFactory:
    """Makes the process's one runner. `get_instance()` is the factory that everybody shares."""

    _instance: JobRunnerFactory | None = None

    def __init__(self) -> None:
        self._runner: JobRunnerFace | None = None
        self._config: JobRunnerConfig | None = None
        self._making = asyncio.Lock()

    @classmethod
    def get_instance(cls) -> JobRunnerFactory:
        """Return the process's factory."""
        if cls._instance is None:
            cls._instance = cls()
        return cls._instance

    async def create_job_runner(self, config: Config = None, **app_options: Any) -> JobRunnerFace:
        """Return the runner, connected, ready to schedule; it works jobs after `start()`.

        The first call makes it; later ones return the same.

        Args:
            config: which runner and where; what is left out comes from environment and settings file.
            app_options: further arguments of `JobApp`, such as `handlers` and `services`.

        Raises:
            ConfigurationError: if the configuration cannot be used, or differs from the runner's that exists.
            PluginError: if the runner is not there.
            StorageUnavailableError, SchemaVersionError: if the engine cannot be reached.
        """
        async with self._making:
            wanted = JobRunnerConfig.of(config)
            if self._runner is None:
                app = JobApp(wanted.settings(), **app_options)
                await app.open()
                self._runner = JobRunnerFace(app, default_retry=wanted.default_retry())
                self._config = wanted
            elif (config is not None and wanted != self._config) or app_options:
                raise ConfigurationError(
                    f"This process has a runner already ({self._runner.get_runner_type()!r}), made with another "
                    "configuration: use it, or await JobRunnerFactory.get_instance().reset() first."
                )
            return self._runner

    @property
    def runner(self) -> JobRunnerFace | None:
        """The runner, if it was made."""
        return self._runner

    async def reset(self) -> None:
        """Stop the runner, if there is one, and forget it."""
        async with self._making:
            runner, self._runner, self._config = self._runner, None, None
            if runner is not None:
                await runner.stop()


async def initialize_job_runner(config: Config = None, **app_options: Any) -> JobRunnerFace:
    """Make the process's runner at the application's start (F18); see `JobRunnerFactory.create_job_runner`."""
    return await JobRunnerFactory.get_instance().create_job_runner(config, **app_options)
