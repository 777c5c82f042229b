"""Flows with the face, beside Node on the same database."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from jobcore.errors import InputError
from jobcore_pgboss.boss.errors import QueueNotFoundError
from jobcore_pgboss.boss.flows import DependencyRef, FlowJob
from pgboss_runner.boss_face import Pair

OWN = {"id", "created_on", "start_after", "keep_until"}

FLOW: list[FlowJob] = [
    {"ref": "child", "name": "child", "data": {"n": 3}, "depends_on": ["one", "two", "one"]},
    {"ref": "one", "name": "mail", "data": {"n": 1}, "options": {"priority": 4, "retry_limit": 1}},
    {"ref": "two", "name": "mail", "options": {"group": {"id": "g"}, "start_after": 90}, "depends_on": ["one"]},
]
NODES: list[dict[str, Any]] = [
    {"ref": "child", "name": "child", "data": {"n": 3}, "dependsOn": ["one", "two", "one"]},
    {"ref": "one", "name": "mail", "data": {"n": 1}, "options": {"priority": 4, "retryLimit": 1}},
    {"ref": "two", "name": "mail", "options": {"group": {"id": "g"}, "startAfter": 90}, "dependsOn": ["one"]},
]
PAIR: list[FlowJob] = [{"ref": "one", "name": "mail"}, {"ref": "child", "name": "child", "depends_on": ["one"]}]


@pytest.fixture(autouse=True)
async def queues(pair: Pair) -> None:
    await pair.boss.create_queue("mail")
    await pair.boss.create_queue("child", retry_limit=7)


async def shape(pair: Pair, job_id: Any) -> dict[str, Any]:
    row = await pair.job(job_id)
    wait = round((row["start_after"] - row["created_on"]).total_seconds())
    return {key: value for key, value in row.items() if key not in OWN} | {"wait": wait}


async def edges(pair: Pair, ids: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    """The dependencies of a flow, told by its refs."""
    refs = {str(job_id): ref for ref, job_id in ids.items()}
    rows = await pair.rows("select * from pgboss.job_dependency where child_id = any(%s)", [*map(str, ids.values())])
    return {
        (row["child_name"], refs[str(row["child_id"])], row["parent_name"], refs[str(row["parent_id"])]) for row in rows
    }


async def claimable(pair: Pair, queue: str) -> list[UUID]:
    return [UUID(job["id"]) for job in await pair.node.call("fetch", queue, {"batchSize": 9})]


async def test_a_flow_leaves_the_rows_that_nodes_leaves(pair: Pair) -> None:
    ours = await pair.boss.flow(FLOW)
    theirs = await pair.node.call("flow", NODES)
    assert ours.keys() == theirs.keys()
    for ref in ours:
        assert await shape(pair, ours[ref]) == await shape(pair, theirs[ref])
    assert await edges(pair, ours) == await edges(pair, theirs)
    child = await pair.job(ours["child"])
    assert (child["blocked"], child["blocking"], child["pending_dependencies"]) == (True, False, 2)


async def test_a_child_of_ours_runs_once_node_worked_and_resolved_its_parent(pair: Pair) -> None:
    flow = await pair.boss.flow(PAIR)
    assert await claimable(pair, "child") == []
    assert await claimable(pair, "mail") == [flow["one"]]
    await pair.node.call("complete", "mail", str(flow["one"]))
    await pair.node.call("resolveFlow")
    assert await claimable(pair, "child") == [flow["child"]]


async def test_a_child_of_nodes_runs_once_we_worked_and_resolved_its_parents(pair: Pair) -> None:
    flow = await pair.node.call("flow", NODES)
    (one,) = await pair.boss.fetch("mail", batch_size=5)
    await pair.boss.complete("mail", one)
    await pair.boss.resolve_flow()
    assert (await pair.job(flow["two"]))["blocked"] is False
    assert (await pair.job(flow["child"]))["pending_dependencies"] == 1
    await pair.boss.complete("mail", flow["two"], include_queued=True)
    await pair.boss.resolve_flow()
    assert [str(job.id) for job in await pair.boss.fetch("child")] == [flow["child"]]
    assert await pair.rows("select from pgboss.job where blocking or blocked or pending_dependencies > 0") == []


async def test_more_parents_than_one_batch_are_resolved(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobcore_pgboss.boss.flows.BATCH", 1)
    parents: list[FlowJob] = [{"ref": str(number), "name": "mail"} for number in range(3)]
    flow = await pair.boss.flow([*parents, {"ref": "child", "name": "child", "depends_on": ["0", "1", "2"]}])
    await pair.boss.complete("mail", [flow[str(number)] for number in range(3)], include_queued=True)
    await pair.boss.resolve_flow()
    assert await claimable(pair, "child") == [flow["child"]]


async def test_parents_and_children_are_listed_as_node_lists_them(pair: Pair) -> None:
    flow = await pair.boss.flow(FLOW)
    for verb, theirs, queue, ref, count in (
        (pair.boss.get_dependencies, "getDependencies", "child", "child", 2),
        (pair.boss.get_dependents, "getDependents", "mail", "one", 2),
        (pair.boss.get_dependencies, "getDependencies", "mail", "one", 0),
    ):
        found = await verb(queue, flow[ref])
        assert [{"name": each.name, "id": str(each.id)} for each in found] == await pair.node.call(
            theirs, queue, str(flow[ref])
        )
        assert len(found) == count
    first, second = await pair.boss.get_dependencies("child", flow["child"])
    assert await pair.boss.get_dependencies("child", flow["child"], limit=1) == [first]
    assert await pair.boss.get_dependencies("child", flow["child"], after=first) == [second]
    assert await pair.boss.get_dependents("mail", flow["one"], after=DependencyRef(name="z", id=uuid4())) == []
    assert await pair.boss.get_dependents("nowhere", uuid4()) == []
    with pytest.raises(InputError, match="limit"):
        await pair.boss.get_dependencies("child", flow["child"], limit=0)
    with pytest.raises(InputError, match="UUID"):
        await pair.boss.get_dependents("child", "seven")


async def test_a_job_that_a_queue_does_not_let_in_takes_the_whole_flow_along(pair: Pair) -> None:
    await pair.boss.create_queue("narrow", policy="short")
    await pair.node.call("send", "narrow")
    crowded: list[FlowJob] = [
        {"ref": "one", "name": "mail"},
        {"ref": "two", "name": "narrow", "depends_on": ["one"]},
    ]
    with pytest.raises(InputError, match="does not let in job 'two'"):
        await pair.boss.flow(crowded)
    theirs = [{"ref": "one", "name": "mail"}, {"ref": "two", "name": "narrow", "dependsOn": ["one"]}]
    assert "could not be created" in str(await pair.node.refusal("flow", theirs))
    assert await pair.rows("select from pgboss.job where name = 'mail'") == []
    assert await pair.rows("select from pgboss.job_dependency") == []


async def test_a_flow_commits_with_the_callers_transaction(pair: Pair) -> None:
    chosen = uuid4()
    async with await psycopg.AsyncConnection.connect(pair.dsn) as connection:
        await connection.execute("set role jobcore_worker")
        await pair.boss.flow(PAIR, connection=connection)
        await connection.rollback()
        await connection.execute("set role jobcore_worker")
        kept = await pair.boss.flow([{**PAIR[0], "options": {"id": chosen}}, PAIR[1]], connection=connection)
    assert kept["one"] == chosen
    found = {row["id"] for row in await pair.rows("select id from pgboss.job")}
    assert found == set(kept.values())


@pytest.mark.parametrize(
    ("ours", "theirs", "reason"),
    [
        ([], [], "2 jobs"),
        ([{"name": "mail"}, {"ref": "b", "name": "mail"}], [{"name": "mail"}, {"ref": "b", "name": "mail"}], "ref"),
        ([{"ref": "a", "name": "mail"}] * 2, [{"ref": "a", "name": "mail"}] * 2, "ref of its own"),
        (
            [{"ref": "a", "name": "mail"}, {"ref": "b", "name": "mail"}],
            [{"ref": "a", "name": "mail"}, {"ref": "b", "name": "mail"}],
            "depends on another",
        ),
        (
            [{"ref": "a", "name": "mail"}, {"ref": "b", "name": "mail", "depends_on": ["c"]}],
            [{"ref": "a", "name": "mail"}, {"ref": "b", "name": "mail", "dependsOn": ["c"]}],
            "'c'",
        ),
        (
            [{"ref": "a", "name": "mail"}, {"ref": "b", "name": "mail", "depends_on": "a"}],
            [{"ref": "a", "name": "mail"}, {"ref": "b", "name": "mail", "dependsOn": "a"}],
            "list of refs",
        ),
        (
            [{"ref": "a", "name": "mail", "depends_on": ["b"]}, {"ref": "b", "name": "mail", "depends_on": ["a"]}],
            [{"ref": "a", "name": "mail", "dependsOn": ["b"]}, {"ref": "b", "name": "mail", "dependsOn": ["a"]}],
            "circle",
        ),
        (
            [{"ref": "a", "name": "mail", "options": {"priority": 1.5}}, {**PAIR[1], "depends_on": ["a"]}],
            [
                {"ref": "a", "name": "mail", "options": {"priority": 1.5}},
                {"ref": "b", "name": "mail", "dependsOn": ["a"]},
            ],
            "priority",
        ),
    ],
)
async def test_what_is_no_flow_is_refused_as_node_refuses_it(pair: Pair, ours: Any, theirs: Any, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        await pair.boss.flow(ours)
    assert await pair.node.refusal("flow", theirs) is not None
    assert await pair.rows("select from pgboss.job") == []


async def test_what_node_would_overlook_is_refused(pair: Pair) -> None:
    node_spelling: Any = {"ref": "b", "name": "mail", "dependsOn": ["one"]}
    with pytest.raises(InputError, match="dependsOn"):
        await pair.boss.flow([*PAIR, node_spelling])
    elsewhere: FlowJob = {"ref": "b", "name": "mail", "options": {"connection": object()}}
    with pytest.raises(InputError, match="connection"):
        await pair.boss.flow([*PAIR, elsewhere])
    with pytest.raises(QueueNotFoundError, match="nowhere"):
        await pair.boss.flow([*PAIR, {"ref": "b", "name": "nowhere"}])
    assert await pair.rows("select from pgboss.job") == []
