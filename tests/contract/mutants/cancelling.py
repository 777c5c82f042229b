"""Mutants that an operator cannot rely on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from contract.mutants.base import BrokenRunner
from jobcore.ports.runner import Health
from jobcore.states import RUNNING_STATES


class IgnoresCancellation(BrokenRunner):
    caught_by = "test_a_waiting_job_is_cancelled_at_once_and_never_runs"

    async def cancel(self, *arguments: Any, **told: Any) -> bool:
        return True


class DropsTheReason(BrokenRunner):
    caught_by = "test_who_waits_for_a_result_hears_of_a_cancellation_with_its_reason"

    async def cancel(self, *arguments: Any, **told: Any) -> bool:
        return await super().cancel(*arguments)


class CancelsOnlyWhatWaits(BrokenRunner):
    caught_by = "test_a_handler_that_does_not_listen_is_interrupted_after_its_grace"

    async def cancel(self, tenant: UUID, job_id: UUID, **told: Any) -> bool:
        if self.store.tables.row(tenant, job_id).status in RUNNING_STATES:
            return True
        return await super().cancel(tenant, job_id, **told)


class CancelsTooLate(BrokenRunner):
    caught_by = "test_a_running_handler_hears_of_its_cancellation_in_time"
    patience = 4.0

    async def cancel(self, *arguments: Any, **told: Any) -> bool:
        self._late = asyncio.create_task(self._cancel_late(*arguments, **told))
        return True

    async def _cancel_late(self, *arguments: Any, **told: Any) -> None:
        await asyncio.sleep(self.capabilities.cancel_latency.total_seconds() + 0.5)
        await super().cancel(*arguments, **told)


class CancelsTheWholeTenant(BrokenRunner):
    caught_by = "test_a_cancellation_reaches_one_job_and_no_other"

    async def cancel(self, tenant: UUID, job_id: UUID, **told: Any) -> bool:
        for other, other_id in list(self.store.tables.jobs):
            if other == tenant and other_id != job_id:
                await super().cancel(other, other_id, **told)
        return await super().cancel(tenant, job_id, **told)


class CancelsForAnybody(BrokenRunner):
    caught_by = "test_another_tenants_job_is_neither_cancelled_nor_retried"

    async def cancel(self, tenant: UUID, job_id: UUID, **told: Any) -> bool:
        owner = next((other for other, other_id in self.store.tables.jobs if other_id == job_id), tenant)
        return await super().cancel(owner, job_id, **told)


class SaysThatItCancelledWhatHadEnded(BrokenRunner):
    caught_by = "test_a_job_that_has_ended_cannot_be_cancelled"

    async def cancel(self, *arguments: Any, **told: Any) -> bool:
        await super().cancel(*arguments, **told)
        return True


class RevivesWithoutAttempts(BrokenRunner):
    caught_by = "test_an_operator_revives_a_failed_job_with_its_attempts_renewed"

    async def retry(self, tenant: UUID, job_id: UUID) -> bool:
        row = self.store.tables.row(tenant, job_id)
        row.plan = replace(row.plan, max_attempts=1)
        return await super().retry(tenant, job_id)


class TakesADedupeKeyBack(BrokenRunner):
    caught_by = "test_a_revived_job_leaves_its_dedupe_key_to_a_newer_one"

    async def retry(self, tenant: UUID, job_id: UUID) -> bool:
        for row in self.store.tables.jobs.values():
            self.store.tables.release_keys(row)
        return await super().retry(tenant, job_id)


class RevivesNothing(BrokenRunner):
    caught_by = "test_an_operator_revives_a_cancelled_job"

    async def retry(self, tenant: UUID, job_id: UUID) -> bool:
        return True


class RevivesWithOldProgress(BrokenRunner):
    caught_by = "test_a_revived_job_begins_anew"

    async def retry(self, tenant: UUID, job_id: UUID) -> bool:
        row = self.store.tables.row(tenant, job_id)
        before = row.progress
        revived = await super().retry(tenant, job_id)
        row.progress = before
        return revived


class CountsNothing(BrokenRunner):
    caught_by = "test_a_queues_size_counts_what_waits"

    async def queue_sizes(self, queues: Sequence[str] | None = None) -> Mapping[str, int]:
        return dict.fromkeys(await super().queue_sizes(queues), 0)


class LeavesUnknownQueuesOut(BrokenRunner):
    caught_by = "test_a_queue_that_nobody_knows_is_empty"

    async def queue_sizes(self, queues: Sequence[str] | None = None) -> Mapping[str, int]:
        return {name: size for name, size in (await super().queue_sizes(queues)).items() if size}


class HidesItsBacklog(BrokenRunner):
    caught_by = "test_a_runner_that_works_is_healthy"

    async def health(self) -> Health:
        return replace(await super().health(), queue_size=0)
