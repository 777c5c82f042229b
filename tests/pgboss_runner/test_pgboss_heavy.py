"""Payloads that are heavy together: nobody is refused for what a neighbour brings."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jobcore.errors import PayloadLimitError
from jobcore_pgboss import enqueue, intake
from pgboss_runner.harness import TENANT, App

HEAVY: dict[str, Any] = {"tenantId": str(TENANT), "text": "x" * 1_000_000}


async def test_calls_that_are_too_heavy_together_take_turns(app: App) -> None:
    calls = [app.enqueue(payload=HEAVY) for _ in range(40)]
    ids = [job_id for (job_id,) in await asyncio.gather(*calls)]
    batches = await app.rows(
        "select count(*) as jobs from pgboss.job where id = any(%s) group by xmin order by min(created_on)", ids
    )
    assert sum(batch["jobs"] for batch in batches) == 40
    assert max(batch["jobs"] for batch in batches) == enqueue.HEAVIEST_BATCH // 1_000_000


async def test_a_call_that_is_too_heavy_alone_says_so(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "HEAVIEST_CALL", 2_000_000)
    with pytest.raises(PayloadLimitError, match="Enqueue them in several calls"):
        await app.enqueue(payload=HEAVY, count=3)
    assert await app.rows("select from public.jobs") == []
