"""Mutants whose flow control does not control the flow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from contract.mutants.base import BrokenRunner, BrokenStore
from jobcore.memory.rows import JobRow
from jobcore.memory.waiting_room import WaitingRoom
from jobcore.models import Admission, Enqueued, Gate, NewJob, OnConflict, OnFailure, PauseKind
from jobcore.ports.clock import Clock


class _GateMutant(BrokenRunner):
    """Changes the gates of each job."""

    def gate(self, gate: Gate) -> Gate | None:
        return gate

    def job(self, job: NewJob) -> NewJob:
        if job.admission is None:
            return job
        gates = tuple(kept for gate in job.admission.gates if (kept := self.gate(gate)) is not None)
        return replace(job, admission=replace(job.admission, gates=gates))


class IgnoresLimits(_GateMutant):
    caught_by = "test_no_more_jobs_run_at_once_than_their_limit"

    def gate(self, gate: Gate) -> Gate | None:
        return None if gate.limit is not None else gate


class AllowsOneTooMany(_GateMutant):
    caught_by = "test_no_more_jobs_run_at_once_than_their_limit"

    def gate(self, gate: Gate) -> Gate:
        return gate if gate.limit is None else replace(gate, limit=gate.limit + 1)


class CountsTenantsTogether(_GateMutant):
    caught_by = "test_a_limit_per_tenant_counts_each_tenant_apart"

    def gate(self, gate: Gate) -> Gate:
        return replace(gate, name="/".join(gate.name.split("/")[:2]))


class CountsEachHandlerApart(BrokenRunner):
    caught_by = "test_handlers_of_one_scope_are_counted_together"

    def job(self, job: NewJob) -> NewJob:
        gates = tuple(replace(gate, name=f"{gate.name}/{job.name}") for gate in (job.admission or Admission()).gates)
        return replace(job, admission=replace(job.admission or Admission(), gates=gates))


class IgnoresRates(_GateMutant):
    caught_by = "test_jobs_begin_at_their_rate_after_a_burst"

    def gate(self, gate: Gate) -> Gate | None:
        return None if gate.rate is not None else gate


class IgnoresShares(_GateMutant):
    caught_by = "test_a_tenants_few_jobs_do_not_wait_behind_the_crowd_of_another"
    patience = 10.0

    def gate(self, gate: Gate) -> Gate | None:
        return None if gate.weight is not None else gate


class IgnoresWeights(_GateMutant):
    caught_by = "test_tenants_share_the_workers_by_their_weights"
    patience = 10.0

    def gate(self, gate: Gate) -> Gate:
        return replace(gate, weight=1.0)


class ServesTheLatestFirst(BrokenStore):
    caught_by = "test_waiting_jobs_get_places_by_priority_and_then_by_age"

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.tables.waiting_room = _Backwards()


class _Backwards(WaitingRoom):
    def enter(self, row: JobRow) -> None:
        row.number = -abs(row.number)
        super().enter(row)


class KeepsPlacesForEver(BrokenStore):
    caught_by = "test_a_job_beyond_the_limit_is_pending_until_a_place_is_free"

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.tables.waiting_room = Hoarding()


class Hoarding(WaitingRoom):
    def leave(self, row: JobRow) -> None:
        row.seats = []
        super().leave(row)


class KeepsThePlaceOfAJobThatIsPutOff(BrokenStore):
    caught_by = "test_a_job_that_is_put_off_lets_others_have_its_place"
    patience = 5.0

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.tables.waiting_room = _Holding()


class _Holding(WaitingRoom):
    def enter(self, row: JobRow) -> None:
        seats, row.seats = row.seats, []
        super().enter(row)
        row.seats = seats


class IgnoresParents(BrokenRunner):
    caught_by = "test_a_job_begins_when_all_its_parents_have_completed"

    def job(self, job: NewJob) -> NewJob:
        return job if job.admission is None else replace(job, admission=replace(job.admission, after=()))


class WaitsForOneParentOnly(BrokenRunner):
    caught_by = "test_a_job_begins_when_all_its_parents_have_completed"

    def job(self, job: NewJob) -> NewJob:
        return (
            job
            if job.admission is None
            else replace(job, admission=replace(job.admission, after=job.admission.after[:1]))
        )


class _PolicyMutant(BrokenRunner):
    policy = OnFailure.RUN

    def job(self, job: NewJob) -> NewJob:
        if job.admission is None:
            return job
        after = tuple(replace(parent, on_failure=self.policy) for parent in job.admission.after)
        return replace(job, admission=replace(job.admission, after=after))


class RunsChildrenOfFailures(_PolicyMutant):
    caught_by = "test_after_a_parents_failure_its_descendants_are_cancelled_with_the_reason"


class CancelsWhoWouldWait(_PolicyMutant):
    caught_by = "test_a_job_can_wait_until_an_operators_retry_lets_its_parent_complete"
    policy = OnFailure.CANCEL


class StoresAFlowBitByBit(BrokenRunner):
    caught_by = "test_of_a_flow_with_one_wrong_job_nothing_is_stored"

    async def submit(self, jobs: Iterable[NewJob], *, connection: Any = None) -> Sequence[Enqueued]:
        return [answer for job in jobs for answer in await super(BrokenRunner, self).submit([job])]


class IgnoresPauses(BrokenStore):
    caught_by = "test_a_paused_handler_begins_no_job_and_goes_on_after_it_is_resumed"

    async def pause(self, kind: PauseKind, name: str, *, reason: str | None, paused_by: str | None) -> bool:
        return True


class PausesOnlyWhatIsNew(BrokenStore):
    caught_by = "test_what_waited_before_a_pause_is_held_back_and_what_runs_goes_on"

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.tables.waiting_room = _LettingPass()


class _LettingPass(WaitingRoom):
    def is_paused(self, row: JobRow) -> bool:
        return row.lane is not None and super().is_paused(row)


class NeverResumes(BrokenStore):
    caught_by = "test_a_paused_handler_begins_no_job_and_goes_on_after_it_is_resumed"

    async def resume(self, kind: PauseKind, name: str) -> bool:
        return True


class _RuleMutant(BrokenRunner):
    rule = OnConflict.SKIP

    def job(self, job: NewJob) -> NewJob:
        return replace(job, on_conflict=self.rule)


class SupersedesNobody(_RuleMutant):
    caught_by = "test_a_superseding_job_cancels_one_that_waits"


class LetsTheSupersededRunOn(_RuleMutant):
    caught_by = "test_a_superseding_job_stops_the_one_that_runs"
    rule = OnConflict.REPLACE


class StopsWhatOnlyWaitingIsReplaced(_RuleMutant):
    caught_by = "test_a_replacing_job_leaves_one_that_runs_alone"
    rule = OnConflict.SUPERSEDE


class ForgetsThrottlesWithTheirJobs(_RuleMutant):
    caught_by = "test_a_throttled_job_is_made_once_in_its_window_though_the_first_has_ended"
