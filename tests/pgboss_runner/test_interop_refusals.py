"""What pg-boss refuses is refused here, and what it takes is taken: Node is asked each time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from pydantic import BaseModel, ValidationError

from jobcore.errors import CapabilityError, InputError
from jobcore.limits import check_job_name, check_queue_name
from jobcore_devkit.postgres import PostgresServer
from jobcore_pgboss.settings import GroupLimit, PgBossSettings
from jobcore_pgboss.supervision import SupervisionSettings
from pgboss_runner.harness import App, TrivialExecutor, noop
from pgboss_runner.supervised import Node, node_boss, node_dsn_of

NAMES = [
    *("plain", "Billing.invoices/v2_x-9", ".", "/", "-", "_"),
    *("", "two words", "tab\t", "line\n", "\nline", "star*", "a:b", "a\\b", "ä", "ａ", "日本", "a'b", 'a"b', "$", "é"),
]
VALUES = (0, 0.5, 1, 45, 46, 365, 366, 86_400, 86_401)
INTERVALS = {
    "superviseIntervalSeconds": "look_interval_seconds",
    "maintenanceIntervalSeconds": "maintenance_interval_seconds",
    "monitorIntervalSeconds": "monitor_interval_seconds",
    "cronMonitorIntervalSeconds": "cron_interval_seconds",
    "flowIntervalSeconds": "flow_interval_seconds",
    "warningRetentionDays": "warning_retention_days",
    "warningQueueSize": "warning_queue_size",
}
GROUP_LIMITS: list[Any] = [
    {"default": 1},
    {"default": 2, "tiers": {"gold": 5}},
    {"default": 2, "tiers": {}},
    {"default": 0},
    {"default": 1.5},
    {"default": -1},
    {"tiers": {"gold": 5}},
    {"default": 1, "tiers": {"gold": 0}},
    {"default": 1, "tiers": {"": 1}},
    {"default": 1, "tiers": {"gold": 2.5}},
]

pytestmark = pytest.mark.node


@pytest.fixture
async def node(app: App, postgres_server: PostgresServer) -> AsyncGenerator[Node]:
    async with node_boss(node_dsn_of(app, postgres_server), schedule=False, supervise=False) as node:
        yield node


def takes(check: Callable[..., object], *arguments: Any, **named: Any) -> bool:
    try:
        check(*arguments, **named)
    except (InputError, ValidationError):
        return False
    return True


async def sql_takes(app: App, name: str) -> bool:
    try:
        await app.rows(
            "select jobcore.enqueue('any', '{\"tenantId\": \"system\"}', jsonb_build_object('queue', %s::text))", name
        )
    except psycopg.errors.InvalidParameterValue as refusal:
        assert "cannot be the name of a queue" in str(refusal)  # noqa: PT017 - the other names are taken
        return False
    return True


async def test_a_name_is_refused_where_node_refuses_it(app: App, node: Node) -> None:
    by_node = {name for name in NAMES if await node.refusal("createQueue", name) is None}
    assert by_node == set(NAMES[:6])
    assert {name for name in NAMES if takes(check_queue_name, name)} == by_node
    assert {name for name in NAMES if takes(check_job_name, name)} == by_node
    assert {name for name in NAMES if takes(PgBossSettings, group_limits={name: {"default": 1}})} == by_node
    await app.rows("delete from pgboss.queue returning name")
    assert {name for name in NAMES if await sql_takes(app, name)} == by_node


@pytest.mark.parametrize(("theirs", "ours"), INTERVALS.items(), ids=INTERVALS.values())
async def test_an_interval_is_refused_where_node_refuses_it(node: Node, theirs: str, ours: str) -> None:
    values = [value for value in VALUES if SupervisionSettings.model_fields[ours].annotation is float or value != 0.5]
    by_node = [value for value in values if await node.refusal("wouldConstruct", {theirs: value}) is None]
    assert [value for value in values if takes(SupervisionSettings, **{ours: value})] == by_node
    assert by_node


def test_a_refused_interval_says_what_is_accepted() -> None:
    with pytest.raises(ValidationError, match="cron_interval_seconds\n.*less than or equal to 45"):
        SupervisionSettings(cron_interval_seconds=60)


async def test_a_group_limit_is_refused_where_node_refuses_it(node: Node) -> None:
    await node.call("createQueue", "grouped")
    model: type[BaseModel] = GroupLimit
    for limit in GROUP_LIMITS:
        by_node = await node.refusal("work", "grouped", {"groupConcurrency": limit})
        assert takes(model.model_validate, limit) == (by_node is None), (limit, by_node)


async def test_a_job_may_be_active_for_a_day_as_in_node(app: App, node: Node) -> None:
    await node.call("createQueue", "long")
    for seconds in (86_400, 86_401):
        by_node = await node.refusal("send", "long", {}, {"expireInSeconds": seconds})
        try:
            (job_id,) = await app.enqueue("long", timeout=timedelta(seconds=seconds))
        except CapabilityError as refusal:
            assert "24 hours at most" in str(refusal)  # noqa: PT017 - the shorter one is taken
            assert by_node is not None
        else:
            assert by_node is None
            assert (await app.queue_rows(job_id))[0]["expire_seconds"] == 86_400


async def test_node_would_have_made_our_queues_as_we_do(app: App, node: Node) -> None:
    """Whatever our settings: a lease may be shorter than the heartbeats that pg-boss asks for."""
    async with app.working(TrivialExecutor({"ours": noop})):
        queue = await node.call("getQueue", "ours")
    options = {
        name: queue[name]
        for name in (
            *("policy", "retryLimit", "retryDelay", "retryBackoff", "expireInSeconds", "retentionSeconds"),
            *("deleteAfterSeconds", "heartbeatSeconds", "notify"),
        )
    }
    await node.call("createQueue", "theirs", options)
    made = await node.call("getQueue", "theirs")
    assert {name: made[name] for name in options} == options
    (job_id,) = await app.enqueue("ours")
    (row,) = await app.queue_rows(job_id)
    assert await node.refusal("send", "theirs", {}, {"heartbeatSeconds": row["heartbeat_seconds"]}) is None
