"""One application, two engines: which one runs a job, and how single handlers move first."""

from __future__ import annotations

from collections import Counter
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from jobcore import JobApp, JobContext, JobData, job
from jobcore.settings import Settings
from moving.conftest import PATIENCE, working

TENANT = uuid4()


class Data(JobData):
    n: int = 0


@job("report-daily")
async def report(ctx: JobContext, data: Data) -> int:
    return data.n


@job("mail-send")
async def mail(ctx: JobContext, data: Data) -> int:
    return data.n


@job("pinned", runner="pgboss")
async def pinned(ctx: JobContext, data: Data) -> int:
    return data.n


HANDLERS = [report, mail, pinned]


def routed(settings: Settings, routes: dict[str, Any]) -> Settings:
    """Return the settings with these routes, checked as if they had been read."""
    read = Settings.model_validate({"routes": routes})
    return settings.model_copy(update={"runner": "pgboss", "routes": read.routes})


@asynccontextmanager
async def application(settings: Settings, routes: dict[str, Any]):
    async with JobApp(routed(settings, routes), handlers=HANDLERS) as app:
        yield app


async def test_one_worker_runs_each_job_where_call_handler_and_routes_say(settings: Settings) -> None:
    routes = {"report-*": "temporal", "pinned": "temporal"}
    async with application(settings, routes) as app, working(app):
        wanted = [
            (await app.enqueue(report, Data(), tenant=TENANT), "temporal"),
            (await app.enqueue(report, Data(), tenant=TENANT, runner="pgboss"), "pgboss"),
            (await app.enqueue(mail, Data(), tenant=TENANT), "pgboss"),
            (await app.enqueue(mail, Data(), tenant=TENANT, runner="temporal"), "temporal"),
            (await app.enqueue(pinned, Data(), tenant=TENANT), "pgboss"),
        ]
        for handle, runner in wanted:
            assert await handle.result(timeout=PATIENCE) == 0
            assert (await app.get_job(TENANT, handle.job_id)).runner_type == runner


async def test_a_share_of_a_handlers_jobs_runs_on_the_other_engine_and_grows(settings: Settings) -> None:
    ids = [uuid4() for _ in range(60)]
    there: set[Any] = set()
    for percent in (0, 30, 100):
        async with application(settings, {"report-*": {"runner": "temporal", "percent": percent}}) as app:
            tenant = uuid4()
            async with working(app):
                handles = [await app.enqueue(report, Data(), tenant=tenant, job_id=job_id) for job_id in ids]
                for handle in handles:
                    await handle.result(timeout=PATIENCE)
            runners = {handle.job_id: (await app.get_job(tenant, handle.job_id)).runner_type for handle in handles}
        now = {job_id for job_id, runner in runners.items() if runner == "temporal"}
        assert there <= now
        there = now
        share = Counter(runners.values())["temporal"]
        assert share == {0: 0, 100: 60}.get(percent, share)
        if percent == 30:
            assert 4 <= share <= 35


async def test_a_handler_moves_alone_new_jobs_by_its_route_and_waiting_ones_by_a_cutover(settings: Settings) -> None:
    async with application(settings, {}) as before:
        waiting = [await before.enqueue(job, Data(), tenant=TENANT) for job in (report, mail)]
    async with application(settings, {"report-*": "temporal"}) as app:
        new = await app.enqueue(report, Data(), tenant=TENANT)
        moved = await app.cutover("pgboss", "temporal", handler="report-*")
        assert (moved.moved, [one.handler for one in moved.handlers]) == (1, ["report-daily"])
        async with working(app):
            for handle in [*waiting, new]:
                assert await app.handle(TENANT, handle.job_id).result(timeout=PATIENCE) == 0
        runners = [(await app.get_job(TENANT, handle.job_id)).runner_type for handle in [*waiting, new]]
        assert runners == ["temporal", "pgboss", "temporal"]
