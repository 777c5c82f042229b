"""The memory store keeps the store port's promises to engines other than its own."""

from datetime import timedelta
from uuid import uuid4

import pytest

from jobcore import JobState
from jobcore.errors import ConfigurationError, IllegalMoveError, InputError, JobNotFoundError, StaleClaimError
from jobcore.ids import uuid7
from jobcore.memory import MemoryRunner, MemoryStore, MovableClock
from jobcore.memory.plugin import MemoryRunnerPlugin
from jobcore.models import JobFilter, Lease, NewJob, WorkerRecord
from jobcore.plugins.records import Origin
from jobcore.plugins.registries import RunnerRegistry
from jobcore.ports.runner import RunnerContext
from jobcore.testing.apps import quiet_settings

TENANT = uuid4()


def new_job(name: str = "a", **changes) -> NewJob:
    values = {
        "job_id": uuid7(),
        "tenant": TENANT,
        "name": name,
        "payload": b'{"tenantId": "x"}',
        "runner_type": "elsewhere",
        "queue": name,
    }
    return NewJob(**(values | changes))


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(MovableClock())


async def claimed(store: MemoryStore, attempt: int = 1) -> Lease:
    job = new_job()
    await store.create_job(job)
    lease = Lease(job.job_id, TENANT, attempt, uuid4().hex)
    assert await store.claim([lease], worker_id=uuid4()) == [True]
    return lease


async def test_a_recorded_job_is_pending(store):
    job = new_job()
    await store.create_job(job)
    record = await store.get_job(TENANT, job.job_id)
    assert record.status is JobState.PENDING
    assert record.payload == {"tenantId": "x"}


async def test_jobs_of_another_tenant_are_not_found(store):
    job = new_job()
    await store.create_job(job)
    with pytest.raises(JobNotFoundError):
        await store.get_job(uuid4(), job.job_id)
    assert await store.find_jobs(uuid4(), JobFilter()) == []


async def test_only_legal_moves_are_made(store):
    lease = await claimed(store)
    await store.update_job_status(TENANT, lease.job_id, JobState.COMPLETED, metadata={"by": "test"})
    record = await store.get_job(TENANT, lease.job_id)
    assert record.completed_at is not None
    assert record.metadata["by"] == "test"
    with pytest.raises(IllegalMoveError, match="is completed; it cannot become processing"):
        await store.update_job_status(TENANT, lease.job_id, JobState.PROCESSING)


async def test_an_error_text_is_kept_with_the_state(store):
    lease = await claimed(store)
    await store.update_job_status(TENANT, lease.job_id, JobState.FAILED, error="broke")
    assert (await store.get_job(TENANT, lease.job_id)).as_status.error == "broke"


async def test_an_admitted_job_stands_in_line(store):
    job = new_job()
    await store.create_job(job)
    await store.update_job_status(TENANT, job.job_id, JobState.QUEUED)
    assert store.tables.line.pop(["a"], store.clock.now()).plan is job


async def test_a_claim_is_repeatable_and_a_later_attempt_takes_over(store):
    lease = await claimed(store)
    assert await store.claim([lease], worker_id=uuid4()) == [True]
    same_attempt = Lease(lease.job_id, TENANT, 1, "other")
    next_attempt = Lease(lease.job_id, TENANT, 2, "next")
    assert await store.claim([same_attempt, next_attempt], worker_id=uuid4()) == [False, True]
    with pytest.raises(StaleClaimError, match="Attempt 1 .* lost its claim: the job is processing at attempt 2"):
        await store.write_progress(lease, 10, None)


async def test_an_unknown_or_ended_job_cannot_be_claimed(store):
    nobody = Lease(uuid4(), TENANT, 1, "t")
    assert await store.claim([nobody], worker_id=uuid4()) == [False]
    with pytest.raises(StaleClaimError, match="no longer exists"):
        await store.load_steps(nobody)


async def test_the_first_stored_step_wins(store):
    lease = await claimed(store)
    assert await store.save_step(lease, "pay#1", b'"first"') == b'"first"'
    assert await store.save_step(lease, "pay#1", b'"second"') == b'"first"'
    assert await store.load_steps(lease) == {"pay#1": b'"first"'}


async def test_details_are_updated_by_their_step_name(store):
    lease = await claimed(store)
    first = await store.create_job_detail(TENANT, lease.job_id, "item", "processing")
    second = await store.write_detail(lease, "item", "completed", b'{"n": 1}', {"size": 2})
    assert first == second
    [detail] = await store.get_details(TENANT, lease.job_id)
    assert (detail.status, detail.result, detail.metadata) == ("completed", {"n": 1}, {"size": 2})


async def test_listings_are_filtered_and_paged_newest_first(store):
    jobs = [new_job("a"), new_job("b", parent_job_id=uuid4()), new_job("a", runner_type="other")]
    for job in jobs:
        await store.create_job(job)
        store.clock.advance(timedelta(minutes=1))
    ids = [job.job_id for job in jobs]

    async def found(**where):
        return [ids.index(record.job_id) for record in await store.find_jobs(TENANT, JobFilter(**where))]

    assert await found() == [2, 1, 0]
    assert await found(limit=2) == [2, 1]
    assert await found(before=ids[1]) == [0]
    assert await found(names=("a",)) == [2, 0]
    assert await found(runner_types=("other",)) == [2]
    assert await found(parent_job_id=jobs[1].parent_job_id) == [1]
    assert await found(states=(JobState.QUEUED,)) == []
    assert await found(external_id="x") == []
    middle = (await store.get_job(TENANT, ids[1])).created_at
    assert await found(created_after=middle) == [2, 1]
    assert await found(created_before=middle) == [0]
    with pytest.raises(InputError, match="limit"):
        await found(limit=0)


async def test_metrics_count_by_state_and_runner(store):
    await store.create_job(new_job())
    await claimed(store)
    await store.create_job(new_job(tenant=uuid4(), runner_type="other"))
    metrics = await store.metrics(TENANT)
    assert metrics.by_state[JobState.PENDING] == metrics.by_state[JobState.PROCESSING] == 1
    assert set((await store.metrics()).by_runner) == {"elsewhere", "other"}


async def test_a_worker_that_is_silent_for_a_minute_counts_as_gone(store):
    worker = WorkerRecord(
        worker_id=uuid4(), runner_type="memory", host="h", pid=1, handlers=("a",), queues=("a",), concurrency=1
    )
    await store.announce(worker)
    store.clock.advance(timedelta(seconds=50))
    await store.announce(worker)
    store.clock.advance(timedelta(seconds=50))
    [live] = await store.live_workers()
    assert live.seen_at - live.started_at == timedelta(seconds=50)
    store.clock.advance(timedelta(seconds=11))
    assert await store.live_workers() == []
    await store.retire(worker.worker_id)
    assert await store.ping() == 0


async def test_cancelling_or_retrying_a_job_that_does_not_exist_is_no_error():
    runner = MemoryRunner()
    assert await runner.cancel(TENANT, uuid4()) is False
    assert await runner.retry(TENANT, uuid4()) is False


def test_the_memory_runner_refuses_another_storage():
    registry = RunnerRegistry(Origin("memory", "application", ""))
    MemoryRunnerPlugin().jobcore_register_runners(registry, quiet_settings(memory={"mode": "manual"}))
    [offered] = registry.items

    class Elsewhere:
        storage_type = "elsewhere"

    with pytest.raises(ConfigurationError, match="not on 'elsewhere'"):
        offered.factory(RunnerContext(settings=None, store=Elsewhere()))
    assert offered.factory(RunnerContext(settings=None, store=MemoryStore())).mode == "manual"
