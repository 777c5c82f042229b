"""Mutants that run jobs, or end them, wrongly."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from contract.mutants.base import BrokenRunner
from jobcore.memory.worker import MemoryWorker
from jobcore.models import Claim, NewJob, Outcome, Settlement
from jobcore.ports.observer import Observer
from jobcore.ports.runner import AbortControl, ClaimExecutor, ClaimSession, Worker, WorkerHost

NOW = timedelta()


class RunsTwice(BrokenRunner):
    caught_by = "test_an_enqueued_job_runs_once_and_its_row_says_so"

    def host(self, host: WorkerHost) -> WorkerHost:
        return replace(host, executor=_Twice(host.executor))


class _Twice(ClaimExecutor):
    def __init__(self, executor: ClaimExecutor) -> None:
        self._executor = executor

    async def execute(self, claim: Claim, session: ClaimSession, abort: AbortControl) -> Settlement:
        await self._executor.execute(claim, session, abort)
        return await self._executor.execute(claim, session, abort)


class RunsMoreAtOnceThanItMay(BrokenRunner):
    caught_by = "test_a_worker_runs_as_many_jobs_at_once_as_it_may_and_no_more"

    def host(self, host: WorkerHost) -> WorkerHost:
        return replace(host, concurrency=host.concurrency + 1)


class RunsOneAtATime(BrokenRunner):
    caught_by = "test_a_worker_runs_as_many_jobs_at_once_as_it_may_and_no_more"

    def host(self, host: WorkerHost) -> WorkerHost:
        return replace(host, concurrency=1)


class ServesEveryQueue(BrokenRunner):
    caught_by = "test_a_worker_serves_the_queues_that_it_is_told_and_no_others"

    def host(self, host: WorkerHost) -> WorkerHost:
        every = {name: frozenset({name}) for name in self.store.tables.line.queues()}
        return replace(host, queues={**every, **host.queues})


class SwallowsErrors(BrokenRunner):
    caught_by = "test_a_job_without_attempts_left_fails_for_good"

    def settled(self, settlement: Settlement) -> Settlement:
        return replace(settlement, outcome=Outcome.COMPLETED)


class NeverRetries(BrokenRunner):
    caught_by = "test_a_failed_attempt_is_tried_again"

    def settled(self, settlement: Settlement) -> Settlement:
        return _turned(settlement, Outcome.RETRY, Outcome.FAILED)


class RetriesWhatIsFinal(BrokenRunner):
    caught_by = "test_an_error_that_cannot_be_retried_fails_the_job_at_once"

    def settled(self, settlement: Settlement) -> Settlement:
        return _turned(settlement, Outcome.FAILED, Outcome.RETRY)


class IgnoresBackoff(BrokenRunner):
    caught_by = "test_a_failed_attempt_is_retried_after_its_backoff"

    def settled(self, settlement: Settlement) -> Settlement:
        return replace(settlement, retry_in=NOW)


class KnowsNoScheduleOfWhatIsTriggered(BrokenRunner):
    caught_by = "test_a_job_that_is_triggered_by_hand_backs_off_as_its_schedule_says"

    def job(self, job: NewJob) -> NewJob:
        return replace(job, metadata={})


class BacksOffByAConstant(BrokenRunner):
    caught_by = "test_the_backoff_grows_up_to_its_bound"

    def settled(self, settlement: Settlement) -> Settlement:
        return replace(settlement, retry_in=timedelta(milliseconds=100))


class CountsASnoozeAsAnAttempt(BrokenRunner):
    caught_by = "test_a_snooze_costs_no_attempt"

    def settled(self, settlement: Settlement) -> Settlement:
        return _turned(settlement, Outcome.SNOOZED, Outcome.RETRY)


class WakesTooEarly(BrokenRunner):
    caught_by = "test_a_snoozed_job_runs_again_when_its_time_is_over"

    def settled(self, settlement: Settlement) -> Settlement:
        return replace(settlement, retry_in=NOW)


class RecordsASnoozeAsAnError(BrokenRunner):
    caught_by = "test_a_snooze_is_recorded_neither_as_an_error_nor_as_an_attempt"

    def settled(self, settlement: Settlement) -> Settlement:
        return replace(settlement, error={"message": "snoozed"})


class FailsWhatCancelsItself(BrokenRunner):
    caught_by = "test_a_handler_may_cancel_its_own_job_with_a_reason"

    def settled(self, settlement: Settlement) -> Settlement:
        return _turned(settlement, Outcome.CANCELLED, Outcome.FAILED)


class LosesTheResult(BrokenRunner):
    caught_by = "test_what_a_handler_returns_is_the_jobs_result"

    def settled(self, settlement: Settlement) -> Settlement:
        return replace(settlement, result=None)


class LosesTheError(BrokenRunner):
    caught_by = "test_an_error_is_recorded_with_its_type_message_and_traceback"

    def settled(self, settlement: Settlement) -> Settlement:
        return replace(settlement, error=None)


class NeverHandsBack(BrokenRunner):
    caught_by = "test_a_handler_that_does_not_listen_does_not_hold_up_a_stop"

    def settled(self, settlement: Settlement) -> Settlement:
        return _turned(settlement, Outcome.RELEASED, Outcome.CANCELLED)


class CountsAHandBackAsAnAttempt(BrokenRunner):
    caught_by = "test_what_is_left_at_a_stop_is_told_and_handed_back_without_costing_an_attempt"

    def settled(self, settlement: Settlement) -> Settlement:
        return _turned(settlement, Outcome.RELEASED, Outcome.RETRY)


class StopsWithoutWaiting(BrokenRunner):
    caught_by = "test_a_stop_waits_for_the_running_jobs_within_its_grace"

    def worker(self, host: WorkerHost) -> Worker:
        return _Impatient(self.store, host)


class _Impatient(MemoryWorker):
    async def stop(self, grace: timedelta | None = None) -> None:
        await super().stop(NOW)


class DrainsNothing(BrokenRunner):
    caught_by = "test_a_drain_waits_for_the_running_jobs_and_takes_no_more"

    def worker(self, host: WorkerHost) -> Worker:
        return _Hasty(self.store, host)


class _Hasty(MemoryWorker):
    async def drain(self) -> None:
        await super().stop(NOW)


class KeepsItsSize(BrokenRunner):
    caught_by = "test_a_worker_that_is_resized_runs_more_or_fewer_jobs_at_a_time"

    def worker(self, host: WorkerHost) -> Worker:
        return _Stubborn(self.store, host)


class _Stubborn(MemoryWorker):
    def resize(self, concurrency: int) -> None:
        """Go on as before."""


class TellsObserversTwice(BrokenRunner):
    caught_by = "test_observers_are_told_once_of_each_thing"

    def host(self, host: WorkerHost) -> WorkerHost:
        return replace(host, observe=_Echo(host.observe))


class _Echo(Observer):
    def __init__(self, observer: Any) -> None:
        self._observer = observer

    def job_settled(self, settlement: Settlement, applied: bool) -> None:
        for _ in range(2):
            self._observer.job_settled(settlement, applied)


class EndsAJobTwice(BrokenRunner):
    caught_by = "test_every_accepted_job_ends_once_and_as_it_should"

    def host(self, host: WorkerHost) -> WorkerHost:
        return replace(host, observe=_Echo(host.observe))


def _turned(settlement: Settlement, of: Outcome, into: Outcome) -> Settlement:
    """Return a settlement of one outcome as one of another."""
    return replace(settlement, outcome=into) if settlement.outcome is of else settlement
