"""G23 and Q11: the troubles that the founding documents name have a page, and can be seen in the tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jobcore.app import JobRunnerFace
from jobcore.states import JobState
from requirements.words import TENANT, Tables, ended

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "troubleshoot.md"


@pytest.mark.parametrize(
    "trouble",
    ["No handler registered for job", "Jobs are not processed", "stuck", "fail or retry", "missing", "Temporal"],
)
def test_a_trouble_has_its_section(trouble: str) -> None:
    headings = [line for line in PAGE.read_text().splitlines() if line.startswith("## ")]
    assert any(trouble in heading for heading in headings)


def test_a_high_retry_rate_is_answered_with_a_circuit_breaker() -> None:
    section = PAGE.read_text().partition("## Many jobs fail or retry")[2].partition("\n## ")[0]
    assert "circuit breaker" in section


async def test_jobs_that_nobody_works_wait_in_sight(runner: JobRunnerFace, tables: Tables) -> None:
    async def work(job_id: str, data: dict[str, Any]) -> None: ...

    runner.register_handler({"name": "waits", "handler": work})
    await runner.schedule_job("waits", {"tenantId": TENANT})
    assert await runner.app.store.live_workers() == []
    assert (await runner.app.queue_sizes())["waits"] == 1
    assert (await runner.app.metrics(TENANT)).by_state[JobState.QUEUED] == 1
    assert len(tables.all("select 1 from jobs where status = 'queued' and run_at <= now()")) == 1
    await runner.start()
    (worker,) = await runner.app.store.live_workers()
    assert "waits" in worker.queues


async def test_failures_can_be_counted_by_error(runner: JobRunnerFace, tables: Tables) -> None:
    async def fail(job_id: str, data: dict[str, Any]) -> None:
        raise ConnectionError("the mail server is away")

    retry = {"max_attempts": 2, "initial_interval_ms": 20}
    runner.register_handler({"name": "fail", "handler": fail, "retry": retry})
    await runner.start()
    scheduled = await runner.schedule_job("fail", {"tenantId": TENANT})
    await ended(runner, scheduled.job_id)
    assert tables.one(
        "select j.type, d.result ->> 'type' as error, count(*) from job_details d join jobs j using (tenant, job_id)"
        " where d.step_name like 'attempt %%' group by 1, 2"
    ) == {"type": "fail", "error": "ConnectionError", "count": 2}
