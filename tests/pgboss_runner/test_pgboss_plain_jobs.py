"""Jobs that are alike are taken in by a short way; whatever is not, or is here already, by the long one."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from jobcore_pgboss import enqueue as enqueuing
from jobcore_pgboss.encoding import encode_plain_jobs
from jobcore_pgboss.settings import PgBossSettings
from pgboss_runner.harness import TENANT, App, new_job

OTHER = UUID("22222222-2222-7222-8222-222222222222")


async def written_by(app: App, job_id: UUID) -> tuple[dict[str, object], dict[str, object]]:
    """What stands in both tables, but for the times and ids."""
    (queued,) = await app.queue_rows(job_id)
    job = await app.job(job_id)
    for row, unlike in ((job, ("job_id", "created_at", "run_at")), (queued, ("id", "created_on", "start_after"))):
        for column in unlike:
            assert row.pop(column) is not None
    del queued["keep_until"]
    return job, queued


async def test_both_ways_write_the_same_rows(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    await app.enqueue()  # makes the queue, which the short way does not
    (short,) = await app.enqueue(priority=3, max_attempts=5)
    monkeypatch.setattr(enqueuing, "encode_plain_jobs", lambda *_: None)
    (long,) = await app.enqueue(priority=3, max_attempts=5)
    assert await written_by(app, short) == await written_by(app, long)


async def test_jobs_of_several_tenants_keep_theirs(app: App) -> None:
    await app.enqueue()
    jobs = [new_job("noop", tenant=tenant, payload={"tenantId": str(tenant)}) for tenant in (TENANT, OTHER, TENANT)]
    assert encode_plain_jobs(jobs, PgBossSettings()) is not None
    answers = await app.runner.submit(jobs)
    for job, answer in zip(jobs, answers, strict=True):
        assert answer.job_id == job.job_id
        row = await app.job(job.job_id)
        (queued,) = await app.queue_rows(job.job_id)
        assert (row["tenant"], queued["group_id"]) == (job.tenant, str(job.tenant))


async def test_a_job_that_is_here_already_is_not_made_again(app: App) -> None:
    await app.enqueue()
    known, new = new_job("noop"), new_job("noop")
    await app.runner.submit([known])
    answers = await app.runner.submit([new, known])
    assert [answer.deduplicated for answer in answers] == [False, True]
    assert len(await app.queue_rows(known.job_id, new.job_id)) == 2


async def test_a_queue_that_was_deleted_is_made_again(app: App) -> None:
    await app.enqueue()
    await app.rows("delete from pgboss.job returning id")
    await app.rows("delete from pgboss.queue where name = 'noop' returning name")
    (job_id,) = await app.enqueue()
    assert len(await app.queue_rows(job_id)) == 1


async def test_calls_that_differ_share_a_batch_and_keep_their_differences(app: App) -> None:
    await app.enqueue()
    plain, keyed, urgent = await asyncio.gather(app.enqueue(), app.enqueue(dedupe_key="one"), app.enqueue(priority=9))
    assert (await app.job(plain[0]))["dedupe_key"] is None
    assert (await app.job(keyed[0]))["dedupe_key"] == "one"
    assert (await app.queue_rows(urgent[0]))[0]["priority"] == 9
