"""How an application is: its store and its runners, asked now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jobcore.app.runners import RunnerPool
from jobcore.errors import StorageError
from jobcore.ports.runner import Health
from jobcore.ports.store import JobStore


@dataclass(frozen=True, slots=True, kw_only=True)
class AppHealth:
    """The answer of `JobApp.health`."""

    healthy: bool
    store_seconds: float | None
    """How long a round trip to the store took; `None` if it cannot be reached."""
    runners: Mapping[str, Health]
    detail: str = ""
    """What is wrong, and what to do."""

    @property
    def queue_size(self) -> int | None:
        """How many jobs wait, as far as the runners tell."""
        sizes = [health.queue_size for health in self.runners.values() if health.queue_size is not None]
        return sum(sizes) if sizes else None


async def ask_health(store: JobStore, runners: RunnerPool) -> AppHealth:
    """Ask the store and every open runner. Never raises for an engine that is away: that is the answer."""
    answers = {name: await runner.health() for name, runner in runners.opened().items()}
    problems = [f"{name}: {health.detail}" for name, health in answers.items() if not health.healthy]
    try:
        seconds = await store.ping()
    except StorageError as error:
        seconds = None
        problems.insert(0, f"storage: {error}")
    return AppHealth(healthy=not problems, store_seconds=seconds, runners=answers, detail="; ".join(problems))
