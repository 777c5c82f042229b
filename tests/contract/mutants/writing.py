"""Mutants that write what a handler reports wrongly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid4

from contract.mutants.base import BrokenRunner
from jobcore.memory import moves
from jobcore.memory.session import MemorySession
from jobcore.models import Enqueued, NewJob, Settlement
from jobcore.ports.context import TenantDatabase
from jobcore.ports.runner import ClaimSession
from jobcore.states import JobState


class PassingSession(ClaimSession):
    """Passes everything on."""

    def __init__(self, session: MemorySession, runner: BrokenRunner) -> None:
        self.inner = session
        self.runner = runner

    async def progress(self, percent: float, message: str | None) -> None:
        await self.inner.progress(percent, message)

    async def heartbeat(self) -> None:
        await self.inner.heartbeat()

    async def write_detail(
        self, step_name: str, status: str, result: bytes | None, metadata: Mapping[str, Any] | None
    ) -> UUID:
        return await self.inner.write_detail(step_name, status, result, metadata)

    async def load_steps(self) -> Mapping[str, bytes]:
        return await self.inner.load_steps()

    async def save_step(self, key: str, result: bytes) -> bytes:
        return await self.inner.save_step(key, result)

    async def settle_in(self, connection: Any, settlement: Settlement) -> None:
        await self.inner.settle_in(connection, settlement)

    async def enqueue_in(self, connection: Any, jobs: Sequence[NewJob]) -> Sequence[Enqueued]:
        return await self.inner.enqueue_in(connection, jobs)

    @property
    def database(self) -> TenantDatabase | None:
        return self.inner.database


class _WithSession(BrokenRunner):
    """A mutant whose handlers get a broken session."""

    Session: type[PassingSession]

    def session(self, session: MemorySession) -> ClaimSession:
        return self.Session(session, self)


class LosesProgress(_WithSession):
    caught_by = "test_progress_is_seen_while_its_job_runs"

    class Session(PassingSession):
        async def progress(self, percent: float, message: str | None) -> None:
            await self.inner.heartbeat()


class LosesItems(_WithSession):
    caught_by = "test_reported_items_stand_in_their_order"

    class Session(PassingSession):
        async def write_detail(self, *arguments: Any) -> UUID:
            return uuid4()


class PilesItemsUp(_WithSession):
    caught_by = "test_an_item_reported_again_is_updated"

    class Session(PassingSession):
        async def write_detail(self, step_name: str, *arguments: Any) -> UUID:
            return await self.inner.write_detail(f"{step_name} {uuid4()}", *arguments)


class ForgetsSteps(_WithSession):
    caught_by = "test_a_step_runs_once_and_a_retry_gets_what_it_returned"

    class Session(PassingSession):
        async def load_steps(self) -> Mapping[str, bytes]:
            return {}

        async def save_step(self, key: str, result: bytes) -> bytes:
            return result


class ForgetsWhatWasDoneOnce(_WithSession):
    caught_by = "test_once_is_true_the_first_time_in_the_life_of_the_job"

    class Session(PassingSession):
        async def load_steps(self) -> Mapping[str, bytes]:
            return {}

        async def save_step(self, key: str, result: bytes) -> bytes:
            return result


class MixesStepsUp(_WithSession):
    caught_by = "test_steps_of_one_name_are_told_apart_by_their_order"

    class Session(PassingSession):
        async def save_step(self, key: str, result: bytes) -> bytes:
            return await self.inner.save_step(key.partition("#")[0] + "#1", result)


class CompletesWithoutTheCommit(_WithSession):
    caught_by = "test_a_completion_rolls_back_with_the_transaction_that_it_joined"

    class Session(PassingSession):
        async def settle_in(self, connection: Any, settlement: Settlement) -> None:
            moves.settle(self.runner.store.tables, settlement)


class CompletesAStaleLease(_WithSession):
    caught_by = "test_a_job_that_was_ended_by_somebody_else_cannot_be_completed"

    class Session(PassingSession):
        async def settle_in(self, connection: Any, settlement: Settlement) -> None:
            lease = settlement.claim.lease
            row = self.runner.store.tables.row(lease.tenant, lease.job_id)
            row.status, row.lease_token = JobState.PROCESSING, lease.token
            await self.inner.settle_in(connection, settlement)


class LetsFollowUpsEscape(_WithSession):
    caught_by = "test_a_rollback_leaves_neither_completion_nor_follow_up_job"

    class Session(PassingSession):
        async def enqueue_in(self, connection: Any, jobs: Sequence[NewJob]) -> Sequence[Enqueued]:
            return await self.runner.submit(jobs)


class LosesFollowUps(_WithSession):
    caught_by = "test_a_follow_up_job_commits_with_the_completion"

    class Session(PassingSession):
        async def enqueue_in(self, connection: Any, jobs: Sequence[NewJob]) -> Sequence[Enqueued]:
            return [Enqueued(job.job_id) for job in jobs]
