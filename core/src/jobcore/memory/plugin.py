"""Offers the memory runner and storage to the plugin manager; core loads them itself, without an entry point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from jobcore.errors import ConfigurationError
from jobcore.memory.reasons import JobsAhead, NobodyWorks
from jobcore.memory.runner import MEMORY_CAPABILITIES, MemoryRunner
from jobcore.memory.store import MemoryStore
from jobcore.plugins.hooks import hookimpl
from jobcore.ports.runner import RunnerContext

if TYPE_CHECKING:
    from jobcore.plugins.registries import ReasonRegistry, RunnerRegistry, StorageRegistry
    from jobcore.settings import Settings


class MemorySettings(BaseModel):
    """The section `memory` of the settings."""

    model_config = ConfigDict(frozen=True)

    mode: Literal["worker", "inline", "manual"] = "worker"
    """When jobs run; see `jobcore.memory.MemoryMode`."""


class MemoryRunnerPlugin:
    """Offers the runner `memory`."""

    @hookimpl
    def jobcore_register_runners(self, registry: RunnerRegistry, settings: Settings) -> None:
        mode = settings.section("memory", MemorySettings).mode
        registry.register_runner(
            "memory", lambda context: MemoryRunner(_memory_store(context), mode=mode), capabilities=MEMORY_CAPABILITIES
        )


class MemoryStoragePlugin:
    """Offers the storage `memory`."""

    @hookimpl
    def jobcore_register_storages(self, registry: StorageRegistry) -> None:
        registry.register_storage("memory", lambda _settings: MemoryStore())


class MemoryReasonsPlugin:
    """Offers what the memory runner knows of jobs that do not run; also for a runner that the application passed."""

    @hookimpl
    def jobcore_register_reasons(self, registry: ReasonRegistry) -> None:
        registry.add("no_worker", NobodyWorks(), runner="memory")
        registry.add("jobs_ahead", JobsAhead(), runner="memory")


def _memory_store(context: RunnerContext) -> MemoryStore:
    if not isinstance(context.store, MemoryStore):
        raise ConfigurationError(
            f"The memory runner works on the memory storage only, not on {context.store.storage_type!r}: "
            "set JOBCORE_STORAGE=memory, or another JOB_RUNNER_TYPE."
        )
    return context.store
