"""Admission to engines, and what stands between a job and its engine."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from jobcore.ids import uuid7
from jobcore.models import Admission, Gate, NewJob, OnFailure, Parent, PauseKind
from jobcore.ports.admission import AdmissionView, Holder
from jobcore.states import JobState
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.storage_contract.harness import StorageHarness
from jobcore.testing.storage_contract.rows import lease_of, new_job, recorded

AN_HOUR = timedelta(hours=1)
ROUNDS = 200
"""Looks until everybody who may pass has passed: others use the database too, but only their own lanes."""


def _places(limit: int) -> Gate:
    return Gate(name=f"at-once/{uuid4()}", limit=limit)


async def _submitted(
    harness: StorageHarness, *gates: Gate, after: tuple[Parent, ...] = (), tenant: UUID | None = None, **fields: object
) -> NewJob:
    """Enqueue a job that has to pass these gates."""
    admission = Admission(gates=gates, after=after) if gates or after else None
    job = new_job(tenant or uuid4(), admission=admission, **fields)
    await harness.submit(job)
    return job


async def _admit_all(harness: StorageHarness) -> float | None:
    """Take rounds until nobody else may pass; return the seconds until time alone lets one pass."""
    beyond, more, soonest = "", False, None
    for _ in range(ROUNDS):
        seen = await harness.store.admit(beyond, thorough=True)
        if seen is None:
            await asyncio.sleep(0.01)
            continue
        more = more or seen.more
        soonest = min((wait for wait in (soonest, seen.next_in) if wait is not None), default=None)
        if seen.reached is None and not more:
            return soonest
        beyond, more = seen.reached or "", more and seen.reached is not None
    pytest.fail(f"After {ROUNDS} rounds there were still more to come.")


async def _states(harness: StorageHarness, *jobs: NewJob) -> list[JobState]:
    return [(await harness.store.get_job(job.tenant, job.job_id)).status for job in jobs]


async def _explained(harness: StorageHarness, job: NewJob) -> AdmissionView:
    view = await harness.store.explain_admission(job.tenant, job.job_id)
    assert view is not None
    return view


async def _end(harness: StorageHarness, job: NewJob, state: JobState = JobState.COMPLETED) -> None:
    assert await harness.store.claim([lease_of(job)], worker_id=uuid4()) == [True]
    await harness.store.update_job_status(job.tenant, job.job_id, state)


@needs("submit")
async def test_a_job_with_a_gate_waits_until_it_is_admitted(harness: StorageHarness) -> None:
    job = await _submitted(harness, _places(1))
    assert await _states(harness, job) == [JobState.PENDING]
    assert (await _explained(harness, job)).is_at_gates
    await _admit_all(harness)
    assert await _states(harness, job) == [JobState.QUEUED]
    assert not (await _explained(harness, job)).is_held


@needs("submit")
async def test_no_more_jobs_are_admitted_than_a_gate_has_places(harness: StorageHarness) -> None:
    gate = _places(2)
    first, second = [await _submitted(harness, gate) for _ in range(2)]
    urgent = await _submitted(harness, gate, priority=9)
    for _ in range(2):
        await _admit_all(harness)
        assert await _states(harness, urgent, first, second) == [JobState.QUEUED, JobState.QUEUED, JobState.PENDING]


@needs("submit")
async def test_a_job_that_has_ended_gives_its_place_to_the_next(harness: StorageHarness) -> None:
    gate = _places(1)
    first, second = [await _submitted(harness, gate) for _ in range(2)]
    await _admit_all(harness)
    await _end(harness, first)
    await _admit_all(harness)
    assert await _states(harness, first, second) == [JobState.COMPLETED, JobState.QUEUED]


@needs("submit")
async def test_a_waiting_job_is_told_who_holds_the_places_and_how_many_go_first(harness: StorageHarness) -> None:
    gate, tenant = _places(1), uuid4()
    holder = await _submitted(harness, gate, tenant=tenant)
    await _admit_all(harness)
    await _submitted(harness, gate)
    await _submitted(harness, gate, tenant=tenant)
    last = await _submitted(harness, gate, tenant=tenant)
    seen = await _explained(harness, last)
    [at] = seen.gates
    assert (at.gate, at.most, at.taken, at.taken_by_tenant, at.is_full) == (gate, 1, 1, 1, True)
    assert at.holders == [Holder(tenant=tenant, job_id=holder.job_id)]
    assert (seen.ahead, seen.ahead_of_tenant) == (2, 1)


@needs("submit")
async def test_a_rate_lets_its_burst_pass_and_tells_what_is_left(harness: StorageHarness) -> None:
    gate = Gate(name=f"rate/{uuid4()}", rate=1 / 3600, burst=2.0)
    jobs = [await _submitted(harness, gate) for _ in range(3)]
    await _admit_all(harness)
    soonest = await _admit_all(harness)
    assert await _states(harness, *jobs) == [JobState.QUEUED, JobState.QUEUED, JobState.PENDING]
    assert soonest is not None
    assert 0 < soonest <= AN_HOUR.total_seconds()
    [at] = (await _explained(harness, jobs[2])).gates
    assert at.tokens is not None
    assert 0 <= at.tokens < 1


@needs("submit")
async def test_a_job_is_admitted_when_those_before_it_have_completed(harness: StorageHarness) -> None:
    first = await _submitted(harness)
    second = await _submitted(harness, after=(Parent(first.job_id),), tenant=first.tenant)
    await _admit_all(harness)
    assert await _states(harness, second) == [JobState.PENDING]
    seen = await _explained(harness, second)
    [awaited] = seen.parents
    assert (seen.awaited, awaited.job_id, awaited.name) == (1, first.job_id, first.name)
    assert (awaited.status, awaited.on_failure, awaited.is_dead_end) == (JobState.QUEUED, OnFailure.CANCEL, False)
    await _end(harness, first)
    await _admit_all(harness)
    assert await _states(harness, second) == [JobState.QUEUED]


@needs("submit")
async def test_a_failure_cancels_those_after_it_or_lets_them_run_or_wait(harness: StorageHarness) -> None:
    first = await _submitted(harness)
    cancelled, running, waiting = [
        await _submitted(harness, after=(Parent(first.job_id, policy),), tenant=first.tenant) for policy in OnFailure
    ]
    await _end(harness, first, JobState.FAILED)
    await _admit_all(harness)
    states = await _states(harness, cancelled, running, waiting)
    assert states == [JobState.CANCELLED, JobState.QUEUED, JobState.PENDING]
    [awaited] = (await _explained(harness, waiting)).parents
    assert awaited.is_dead_end


@needs("submit", "advance")
async def test_a_job_is_not_admitted_before_its_time(harness: StorageHarness) -> None:
    job = await _submitted(harness, _places(1), delay=AN_HOUR)
    await _admit_all(harness)
    assert await _states(harness, job) == [JobState.PENDING]
    assert 0 < (await _explained(harness, job)).due_in <= AN_HOUR.total_seconds()
    await harness.advance(AN_HOUR)
    await _admit_all(harness)
    assert await _states(harness, job) == [JobState.QUEUED]


@needs("submit")
async def test_what_is_paused_is_listed_and_admitted_only_when_the_pause_is_over(harness: StorageHarness) -> None:
    name = f"paused-{uuid4()}"
    assert await harness.store.pause(PauseKind.HANDLER, name, reason="too hot", paused_by="ann")
    assert not await harness.store.pause(PauseKind.HANDLER, name, reason=None, paused_by=None)
    [pause] = [pause for pause in await harness.store.pauses() if pause.name == name]
    assert (pause.kind, pause.reason, pause.paused_by) == (PauseKind.HANDLER, "too hot", "ann")
    job = await _submitted(harness, _places(1), name=name)
    await _admit_all(harness)
    assert await _states(harness, job) == [JobState.PENDING]
    assert await harness.store.resume(PauseKind.HANDLER, name)
    assert not await harness.store.resume(PauseKind.HANDLER, name)
    await _admit_all(harness)
    assert await _states(harness, job) == [JobState.QUEUED]


@needs("submit")
async def test_nothing_is_told_of_a_job_that_was_only_recorded_or_is_another_tenants(harness: StorageHarness) -> None:
    only_recorded = await recorded(harness)
    job = await _submitted(harness, _places(1))
    for other in (only_recorded, replace(job, job_id=uuid7()), replace(job, tenant=uuid4())):
        assert await harness.store.explain_admission(other.tenant, other.job_id) is None
