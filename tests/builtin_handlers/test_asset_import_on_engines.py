"""Imports as users meet them: enqueued on an application, run by a worker on either engine, from either store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from builtin_handlers.buckets import Bucket
from builtin_handlers.imports import Imports, csv_of
from builtin_handlers.workbooks import bomb
from builtin_handlers.world import World
from jobcore.app.facade import JobApp
from jobcore.errors import JobFailedError
from jobcore.states import JobState
from jobcore_handlers.files import FileStore
from jobcore_handlers.imports.handler import asset_import

NAMES = ["alder", "birch", "cedar", "dogwood", "elm", "fir", "ginkgo", "hazel", "ironwood", "juniper", "katsura",
         "larch", "maple", "nettle", "oak", "pine", "quince", "rowan", "spruce",
         "tulip", "upas", "viburnum"]  # fmt: skip


@pytest.fixture
async def app(open_app: Callable[..., AbstractAsyncContextManager[JobApp]], bucket: Bucket) -> AsyncIterator[JobApp]:
    async with open_app(services={FileStore: bucket.store()}) as app:
        yield app


@pytest.fixture
def imports(world: World, bucket: Bucket) -> Imports:
    return Imports(world, bucket.store())


async def test_assets_are_imported_from_a_bucket(app: JobApp, imports: Imports, world: World) -> None:
    rows = [f"{name},server,S-{n}" for n, name in enumerate(NAMES)]
    data = await imports.prepare(csv_of(*rows, "late,server,S-3", ",server,S-99"))
    job = await asset_import.enqueue(app, data)
    result = await job.result(timeout=60)
    assert result == {"totalRows": 24, "created": 22, "duplicates": 1, "errors": 1}
    assert [asset["name"] for asset in imports.assets()] == NAMES
    assert {asset["created_by"] for asset in imports.assets()} == {world.user}
    row = imports.job(data)
    assert (row["status"], row["processed_rows"], row["run_job_id"]) == ("completed", 24, job.job_id)
    status = await job.status()
    assert (status.status, status.progress) == (JobState.COMPLETED, 100)


async def test_a_hostile_file_fails_the_job_at_once_and_leaves_nothing(app: JobApp, imports: Imports) -> None:
    data = await imports.prepare(bomb(32 << 20).getvalue(), "../../assets.xlsx")
    job = await asset_import.enqueue(app, data)
    with pytest.raises(JobFailedError, match="grows more than 200 times"):
        await job.result(timeout=60)
    status = await job.status()
    assert (status.status, status.attempt) == (JobState.FAILED, 1)
    assert imports.job(data)["status"] == "failed"
    assert imports.assets() == imports.items(data) == []
