"""From the enqueue to the end, on a real PostgreSQL."""

from __future__ import annotations

from pgboss_runner.harness import App, TrivialExecutor, noop


async def test_a_job_is_worked_and_its_row_is_right(app: App) -> None:
    executor = TrivialExecutor({"noop": noop})
    (job_id,) = await app.enqueue()
    async with app.working(executor):
        await app.wait_for_status("completed", job_id)
    job = await app.job(job_id)
    assert (job["attempt"], job["progress"], job["rescues"]) == (1, 100, 0)
    assert job["completed_at"] is not None
    assert await app.queue_rows(job_id) == []
