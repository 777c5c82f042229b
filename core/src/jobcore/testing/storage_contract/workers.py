"""Announced workers, and the store itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from jobcore.models import WorkerRecord
from jobcore.testing.runner_contract.behaviour import needs
from jobcore.testing.storage_contract.harness import StorageHarness


def _worker() -> WorkerRecord:
    return WorkerRecord(
        worker_id=uuid4(),
        runner_type="elsewhere",
        host="a-host",
        pid=4711,
        handlers=("a", "b"),
        queues=("a",),
        concurrency=7,
        details={"queue_of": {"a": "a", "b": "a"}},
    )


async def _live(harness: StorageHarness, worker: WorkerRecord) -> WorkerRecord | None:
    found = [live for live in await harness.store.live_workers() if live.worker_id == worker.worker_id]
    return found[0] if found else None


async def test_an_announced_worker_is_live(harness: StorageHarness) -> None:
    worker = _worker()
    await harness.store.announce(worker)
    live = await _live(harness, worker)
    assert live is not None
    assert live == replace(worker, started_at=live.started_at, seen_at=live.seen_at)
    assert live.started_at is not None
    assert live.seen_at is not None


async def test_an_announcement_repeated_is_news_of_the_same_worker(harness: StorageHarness) -> None:
    worker = _worker()
    await harness.store.announce(worker)
    first = await _live(harness, worker)
    await harness.store.announce(replace(worker, stopping=True, concurrency=1))
    second = await _live(harness, worker)
    assert first is not None
    assert second is not None
    assert (second.stopping, second.concurrency, second.started_at) == (True, 1, first.started_at)


async def test_a_retired_worker_is_gone(harness: StorageHarness) -> None:
    worker = _worker()
    await harness.store.announce(worker)
    await harness.store.retire(worker.worker_id)
    await harness.store.retire(worker.worker_id)
    assert await _live(harness, worker) is None


@needs("advance")
async def test_a_worker_that_is_silent_for_a_minute_counts_as_gone(harness: StorageHarness) -> None:
    worker = _worker()
    await harness.store.announce(worker)
    await harness.advance(timedelta(seconds=50))
    assert await _live(harness, worker) is not None
    await harness.advance(timedelta(seconds=11))
    assert await _live(harness, worker) is None


async def test_the_store_says_how_long_a_round_trip_takes(harness: StorageHarness) -> None:
    assert 0 <= await harness.store.ping() < 5


async def test_housekeeping_may_be_asked_for_at_any_time(harness: StorageHarness) -> None:
    pause = await harness.store.upkeep()
    assert pause is None or pause > 0
