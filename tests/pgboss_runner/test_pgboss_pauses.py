"""What a pause leaves in the queue: rows that mean something to pg-boss as long as they are there."""

from __future__ import annotations

import pytest

from jobcore.models import PauseKind
from pgboss_runner.harness import App, TrivialExecutor, noop


@pytest.mark.parametrize("kept", ["blocking", "singleton_on"])
async def test_a_row_that_pg_boss_needs_stays_and_runs(app: App, kept: str) -> None:
    (plain,) = await app.enqueue("noop")
    (needed,) = await app.enqueue("noop")
    value = "true" if kept == "blocking" else "now()"
    await app.rows(f"update pgboss.job set {kept} = {value} where id = %s returning id", needed)
    await app.store.pause(PauseKind.QUEUE, "noop", reason=None, paused_by=None)
    async with app.working(TrivialExecutor({"noop": noop})):
        await app.wait_for_status("completed", needed)
        await app.wait_for_status("pending", plain)
        assert await app.queue_rows(plain) == []
        await app.store.resume(PauseKind.QUEUE, "noop")
        await app.wait_for_status("completed", plain)
