"""What mutants are made of: the memory runner and its store, with one promise broken.

A mutant is a small class that names the behaviour of the contract which must catch it. What the runner does itself is
overridden; what happens in a run is changed on the way to the executor (`claimed`, `session`) and back (`settled`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from contract.memory_harness import HastenedClock, MemoryHarness
from jobcore.memory import MemoryRunner, MemoryStore
from jobcore.memory.session import MemorySession
from jobcore.models import Claim, Enqueued, NewJob, Settlement
from jobcore.ports.runner import AbortControl, ClaimExecutor, ClaimSession, Worker, WorkerHost
from jobcore.testing.storage_contract import StorageHarness


class BrokenRunner(MemoryRunner):
    """A memory runner that breaks one promise."""

    caught_by: ClassVar[str]
    patience: ClassVar[float] = 1.0
    """Seconds that the behaviour waits for what the mutant may never do."""

    def job(self, job: NewJob) -> NewJob:
        """Return the job as it is stored."""
        return job

    def settled(self, settlement: Settlement) -> Settlement:
        """Return the settlement as it is written."""
        return settlement

    def session(self, session: MemorySession) -> ClaimSession:
        """Return the session that the handler gets."""
        return session

    def host(self, host: WorkerHost) -> WorkerHost:
        """Return the host that the worker gets."""
        return host

    async def submit(self, jobs: Iterable[NewJob], *, connection: Any = None) -> Sequence[Enqueued]:
        return await super().submit([self.job(job) for job in jobs], connection=connection)

    def worker(self, host: WorkerHost) -> Worker:
        return super().worker(self.host(replace(host, executor=_Between(host.executor, self))))


class BrokenStore(MemoryStore):
    """A memory store that breaks one promise, to be caught by the runners' contract or by the storages'."""

    caught_by: ClassVar[str]
    patience: ClassVar[float] = 1.0
    """Seconds that the behaviour waits for what the mutant may never do."""


class _Between(ClaimExecutor):
    """Stands between a mutant's worker and the executor."""

    def __init__(self, executor: ClaimExecutor, mutant: BrokenRunner) -> None:
        self._executor = executor
        self._mutant = mutant

    async def execute(self, claim: Claim, session: ClaimSession, abort: AbortControl) -> Settlement:
        assert isinstance(session, MemorySession)
        settlement = await self._executor.execute(claim, self._mutant.session(session), abort)
        return self._mutant.settled(settlement)


class MutantHarness(MemoryHarness):
    """Opens applications on a mutant."""

    lateness = 0.5

    def __init__(self, mutant: type[BrokenRunner] | type[BrokenStore]) -> None:
        self._mutant = mutant
        self.patience = mutant.patience
        super().__init__()

    def make_store(self, clock: HastenedClock) -> MemoryStore:
        return self._mutant(clock) if issubclass(self._mutant, BrokenStore) else super().make_store(clock)

    def make_runner(self, store: MemoryStore) -> MemoryRunner:
        return self._mutant(store) if issubclass(self._mutant, BrokenRunner) else super().make_runner(store)


class MutantStorageHarness(StorageHarness):
    """A broken store by itself."""

    can_transact = True
    can_advance = True
    can_submit = True

    def __init__(self, mutant: type[MemoryStore]) -> None:
        self._clock = HastenedClock()
        self.store: MemoryStore = mutant(self._clock)

    def transaction(self) -> Any:
        return self.store.connection().transaction()

    async def advance(self, by: Any) -> None:
        self._clock.ahead += by

    async def submit(self, job: NewJob) -> None:
        await MemoryRunner(self.store).submit([job])
