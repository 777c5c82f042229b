"""Declared capabilities."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest

from jobcore.errors import CapabilityError
from jobcore.ports.context import JobContext
from jobcore.testing.runner_contract.harness import RunnerHarness
from jobcore.testing.runner_contract.processes import process_id
from jobcore.testing.runner_contract.site import Anything, Site, handler, opened


async def test_the_runner_declares_what_its_harness_says(harness: RunnerHarness) -> None:
    async with opened(harness) as site:
        runner = await site.app.runner()
        assert runner.capabilities == harness.capabilities
        assert runner.runner_type == site.app.default_runner


async def test_a_request_for_what_the_runner_lacks_is_refused_by_name(harness: RunnerHarness) -> None:
    @handler()
    async def plain(ctx: JobContext, data: Anything) -> None: ...

    @handler()
    def threaded(ctx: JobContext, data: Anything) -> None: ...

    processed = handler(execution="process")(process_id)

    def requests(site: Site) -> list[tuple[str, str, Callable[[], Awaitable[object]]]]:
        return [
            ("delayed", "delayed", lambda: site.enqueue(plain, delay=60)),
            ("delayed", "delayed", lambda: site.enqueue(plain, run_at=datetime.now(UTC))),
            ("priority", "priority", lambda: site.enqueue(plain, priority=1)),
            (
                "transactional_enqueue",
                "transactional_enqueue",
                lambda: site.enqueue(plain, connection=object()),
            ),
            ("flow_control", "flow_control", lambda: site.enqueue(plain, dedupe_key="one", on_conflict="replace")),
            ("thread", "executions", lambda: site.enqueue(threaded)),
            ("process", "executions", lambda: site.enqueue(processed, {"number": 1})),
            ("recurring", "recurring", lambda: site.app.schedule("often", plain, "1 hour", {}, tenant=site.tenant)),
        ]

    async with opened(harness, plain, threaded, processed) as site:
        lacking = [(name, ask) for need, name, ask in requests(site) if harness.lacks(need)]
        if not lacking:
            pytest.skip("the runner lacks nothing that can be asked for")
        for name, ask in lacking:
            with pytest.raises(CapabilityError, match=name):
                await ask()
        assert await site.app.find_jobs(site.tenant) == []
        assert await site.app.schedules.list(site.tenant) == []
