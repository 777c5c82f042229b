"""The face on every version of pg-boss's schema that we speak, made by Node and shared with it."""

from __future__ import annotations

import pytest
from psycopg.conninfo import conninfo_to_dict

from jobcore_devkit.postgres import PostgresServer
from jobcore_pgboss.boss import PgBoss
from jobcore_postgres.migrations import migrate
from pgboss_runner.boss_face import Pair
from pgboss_runner.supervised import node_boss
from pgboss_runner.test_interop_versions import BESIDE, MINDS_NOTHING, catalog, make

pytestmark = pytest.mark.node


@pytest.mark.parametrize("version", [42, 43, 44, 45, 46])
async def test_the_verbs_go_along_with_node_on_every_version(
    empty_database_dsn: str, postgres_server: PostgresServer, version: int
) -> None:
    dsn = empty_database_dsn
    node_dsn = postgres_server.dsn(str(conninfo_to_dict(dsn)["dbname"]), tcp=True)
    await make(node_dsn, version)
    before = catalog(dsn)
    migrate(dsn)
    async with PgBoss(dsn) as boss, node_boss(node_dsn, release=BESIDE[version], **MINDS_NOTHING) as node:
        pair = Pair(boss, node, dsn)
        await boss.create_queue("mail")
        await it_leads_flows(pair)
        await it_upserts(pair)
        await it_fetches_and_deletes(pair)
        assert await pair.rows("select version from pgboss.version") == [{"version": version}]
    assert catalog(dsn) == before


async def it_leads_flows(pair: Pair) -> None:
    flow = await pair.boss.flow(
        [{"ref": "one", "name": "mail"}, {"ref": "child", "name": "mail", "depends_on": ["one"]}]
    )
    (job,) = await pair.node.call("fetch", "mail", {"batchSize": 5})
    await pair.node.call("complete", "mail", job["id"])
    assert [each.id for each in await pair.boss.get_dependents("mail", flow["one"])] == [flow["child"]]
    await pair.boss.resolve_flow()
    (job,) = await pair.boss.fetch("mail", batch_size=5)
    assert job.id == flow["child"]
    assert (await pair.boss.complete("mail", job)).affected == 1


async def it_upserts(pair: Pair) -> None:
    made = await pair.boss.upsert("mail", {"n": 1}, singleton_key="k", start_after=600)
    changed = await pair.node.call("upsert", "mail", {"n": 2}, {"singletonKey": "k"})
    assert (changed["jobs"], changed["updated"]) == ([str(made.jobs[0])], 1)
    assert (await pair.boss.update("mail", {"n": 3}, singleton_key="k")).jobs == made.jobs
    row = await pair.job(made.jobs[0])
    assert row["data"] == {"n": 3}
    assert row.get("upsert_by_key", True) is True


async def it_fetches_and_deletes(pair: Pair) -> None:
    assert await pair.boss.fetch("mail", min_priority=1, ignore_start_after=True) == []
    (job,) = await pair.boss.fetch("mail", ignore_start_after=True)
    await pair.node.call("fail", "mail", str(job.id))
    assert await pair.boss.delete_stored_jobs("mail") == 2
    assert await pair.boss.delete_queued_jobs("mail") == 1
    assert await pair.rows("select from pgboss.job") == []
