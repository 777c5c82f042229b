"""What a worker fetched ahead does not wait in it while its slots are taken: another worker gets it."""

from __future__ import annotations

import asyncio
from typing import Any

from jobcore.models import Claim, Outcome
from pgboss_runner.harness import App, TrivialExecutor, eventually, new_job, opened

EARLIER, SLOTS, QUICK = 200, 2, 20


async def test_claims_that_wait_for_a_slot_go_to_another_worker(database_dsn: str) -> None:
    release = asyncio.Event()

    async def work(claim: Claim, *_: Any) -> None:
        if claim.priority:
            await release.wait()

    async with opened(database_dsn, work_ahead_seconds=60) as app:
        busy, idle = TrivialExecutor({"noop": work}), TrivialExecutor({"noop": work})
        async with app.working(busy, concurrency=SLOTS):
            await app.enqueue(count=EARLIER)  # so fast that much more is fetched than there are slots
            await eventually(lambda: ended(app, EARLIER))
            slow = [new_job("noop", priority=1) for _ in range(SLOTS)]
            waiting = [new_job("noop") for _ in range(QUICK)]
            await app.runner.submit([*slow, *waiting])
            await busy.wait_started(EARLIER + SLOTS)
            async with app.working(idle):
                await eventually(lambda: ended(app, EARLIER + QUICK))
            release.set()
            await eventually(lambda: ended(app, EARLIER + QUICK + SLOTS))

        ids = {job.job_id for job in waiting}
        returned = [end.claim.job_id for end, _ in app.recorder.settled if end.outcome is Outcome.RELEASED]
        assert set(returned) == ids
        assert {claim.job_id for claim in idle.started} == ids
        rows = await app.rows("select attempt, max_attempts from public.jobs where job_id = any(%s)", list(ids))
        assert {(row["attempt"], row["max_attempts"]) for row in rows} == {(1, 3)}


async def ended(app: App, count: int) -> bool:
    (row,) = await app.rows("select count(*) as jobs from public.jobs where status = 'completed'")
    return row["jobs"] == count
