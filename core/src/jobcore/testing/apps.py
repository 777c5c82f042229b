"""Applications for tests: in memory, deaf to the machine's configuration."""

from __future__ import annotations

from tempfile import TemporaryDirectory
from typing import Any

from jobcore.app.facade import JobApp
from jobcore.memory.runner import MemoryMode, MemoryRunner
from jobcore.settings import Settings


def memory_app(*, mode: MemoryMode | str = MemoryMode.MANUAL, **options: Any) -> JobApp:
    """Return an application on a memory runner, not yet open; the runner is `await app.runner()`.

    Neither environment variables nor settings files are read, and no installed plugin is loaded: pass what a test needs
    in `handlers` and `plugins`, or `settings=quiet_settings()` to load the plugins too.

    Args:
        mode: `manual` (jobs wait for `drain`, `run_one` and `advance`), `inline` or `worker`.
        options: further arguments of `JobApp`, such as `handlers` and `services`.
    """
    options.setdefault("settings", quiet_settings(plugins={"allow": []}))
    options.setdefault("runner", MemoryRunner(mode=mode))
    return JobApp(**options)


def quiet_settings(**overrides: Any) -> Settings:
    """Return settings of these values only, whatever the machine's variables and files say."""
    with TemporaryDirectory() as empty:
        return Settings.load(env={}, folder=empty, **overrides)
