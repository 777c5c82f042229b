"""Jobs that SQL enqueues wait for the same as those that Python enqueues."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors as pg
from psycopg.rows import DictRow, dict_row

from flow_control.conftest import PATIENCE, Floor, Open, until
from jobcore import Concurrency, Dedupe, FairShare, JobApp, JobContext, JobData, JobState, RateLimit, job
from jobcore.errors import JobCancelledError

A, B = uuid4(), uuid4()
Connection = psycopg.AsyncConnection[DictRow]
Options = dict[str, Any]
ROWS = """
    select status, queue, dedupe_key, held_key, admission, run_at - created_at as delay,
        cancel_requested - '{at,superseded_by,replaced_by,reason}'::text[] as cancel_requested
    from jobs order by created_at, job_id
"""


class Data(JobData):
    n: int
    account: str | float | bool = "x"


@pytest.fixture
def runner_type() -> str:
    return "pgboss"


@pytest.fixture
async def database(database_dsn: str) -> AsyncGenerator[Connection]:
    async with await psycopg.AsyncConnection.connect(database_dsn, autocommit=True, row_factory=dict_row) as connection:
        yield connection


async def enqueue(database: Connection, name: str, n: int = 0, account: Any = "x", /, **options: Any) -> UUID:
    data = {"tenantId": str(A), "n": n, "account": account}
    cursor = await database.execute(
        "select jobcore.enqueue(%s, %s, %s) as id", (name, json.dumps(data), json.dumps(options, default=str))
    )
    row = await cursor.fetchone()
    assert row
    return row["id"]


async def rows_after(database: Connection, enqueue_all: Callable[[], Any]) -> list[DictRow]:
    """What stands in `jobs` once these calls were made; nothing of it stays."""
    async with database.transaction(force_rollback=True):
        await enqueue_all()
        rows = await (await database.execute(ROWS)).fetchall()
    for row in rows:
        (row["admission"] or {}).pop("engine", None)  # SQL leaves retries to the queue
    return rows


async def assert_alike(app: JobApp, database: Connection, name: str, account: Any = "x", **options: Any) -> DictRow:
    """Enqueue two jobs by SQL and two by Python; return the second's row."""
    ids = [uuid4() for _ in range(4)]

    async def by_python() -> None:
        for n, job_id in enumerate(sorted(ids[:2])):
            data = Data(n=n, account=account)
            await app.enqueue(name, data, tenant=A, job_id=job_id, connection=database, **options)

    async def by_sql() -> None:
        for n, job_id in enumerate(sorted(ids[2:])):
            await enqueue(database, name, n, account, job_id=job_id, **options)

    ours, theirs = await rows_after(database, by_sql), await rows_after(database, by_python)
    assert ours == theirs
    assert ours
    return ours[-1]


@pytest.mark.parametrize(
    ("limits", "account", "options"),
    [
        ([Concurrency(1)], "x", {}),
        ([Concurrency(3, per="tenant", scope="s")], "x", {}),
        ([Concurrency(3, per="tenant", key="account", tiers={"pro": 9})], "x", {}),
        ([Concurrency(3, tiers={"pro": 9})], "x", {"tier": "pro"}),
        ([Concurrency(1, key="account")], "ä/" * 200, {}),
        ([Concurrency(1, key="account")], 2.5, {}),
        ([Concurrency(1, key="account")], 3.0, {}),
        ([Concurrency(1, key="account")], 123456789012345.0, {}),
        ([Concurrency(1, key="account")], True, {}),
        ([Concurrency(1, key="n")], "x", {}),
        ([RateLimit(2.5, every=timedelta(minutes=1))], "x", {"delay": 30}),
        ([RateLimit(100, burst=7, key="account"), Concurrency(2)], "x", {}),
        ([FairShare(weights={A: 2.0}, default=0.5)], "x", {}),
        ([FairShare(weights={B: 2.0}, scope="s"), Concurrency(700)], "x", {}),
        ([Concurrency(1, key="account", scope=f"{n}") for n in range(3)], "y" * 190, {}),
        ([], "x", {"after": [UUID(int=1), UUID(int=2)], "on_parent_failure": "run"}),
        ([Concurrency(1)], "x", {"after": [UUID(int=2), UUID(int=1), UUID(int=2)]}),
    ],
)
async def test_limits_and_parents_are_written_as_python_writes_them(
    opened: Open, database: Connection, limits: list[Any], account: Any, options: Options
) -> None:
    @job("sync", queue="mail", limits=limits)
    async def sync(ctx: JobContext, data: Data) -> None: ...

    @job("parent")
    async def parent(ctx: JobContext, data: Data) -> None: ...

    app = await opened(sync, parent)
    for number in (1, 2):
        handle = await app.enqueue(parent, Data(n=0), tenant=A, job_id=UUID(int=number))
        await handle.result(timeout=PATIENCE)
    row = await assert_alike(app, database, "sync", account, **options)
    assert row["status"] == JobState.PENDING
    assert row["admission"]["gates"] or row["admission"]["after"]
    assert row["queue"] == "mail"


@pytest.mark.parametrize("rule", ["skip", "replace", "supersede", "debounce", "throttle", "queue"])
@pytest.mark.parametrize("said_by", ["handler", "caller"])
async def test_rules_for_equal_jobs_are_written_as_python_writes_them(
    opened: Open, database: Connection, rule: str, said_by: str
) -> None:
    window = timedelta(seconds=90) if rule in ("debounce", "throttle") else None

    @job("sync", dedupe=Dedupe("account", rule, window) if said_by == "handler" else None)
    async def sync(ctx: JobContext, data: Data) -> None: ...

    app = await opened(sync)
    options: Options = {} if said_by == "handler" else {"dedupe_key": "x", "on_conflict": rule}
    if said_by == "caller" and window is not None:
        options["window"] = window.total_seconds()
    row = await assert_alike(app, database, "sync", **options)
    assert (row["dedupe_key"], row["admission"] is None) == ((None, False) if rule == "queue" else ("x", True))


async def test_a_handler_without_limits_makes_a_plain_job(opened: Open, database: Connection) -> None:
    @job("plain")
    async def plain(ctx: JobContext, data: Data) -> None: ...

    app = await opened(plain)
    row = await assert_alike(app, database, "plain")
    assert (row["status"], row["admission"]) == (JobState.QUEUED, None)


async def test_a_trigger_enqueues_jobs_that_never_overlap(opened: Open, floor: Floor, database: Connection) -> None:
    @job("sync", limits=[Concurrency(1, key="account")])
    async def sync(ctx: JobContext, data: Data) -> None:
        async with floor.passing(data.n):
            await ctx.heartbeat()

    await opened(sync, workers=2)
    await database.execute("""
        create table orders (n int);
        create function sync_order() returns trigger language plpgsql as $$
        begin
            perform jobcore.enqueue('sync', jsonb_build_object('tenantId', new_tenant(), 'n', new.n, 'account', 'x'));
            return null;
        end $$;
        create trigger sync after insert on orders for each row execute function sync_order();
    """)
    await database.execute(f"create function new_tenant() returns text language sql as $$ select '{A}' $$")
    await database.execute("insert into orders select generate_series(1, 20)")
    await until(lambda: len(floor.ended) == 20)
    assert floor.most == 1
    assert floor.ended == list(range(1, 21))


async def test_a_job_runs_after_others(opened: Open, floor: Floor, database: Connection) -> None:
    @job("work")
    async def work(ctx: JobContext, data: Data) -> int:
        await floor.hold(data.n)
        return data.n

    app = await opened(work)
    first = await enqueue(database, "work", 1)
    second = await enqueue(database, "work", 2, after=[first])
    await until(lambda: floor.running == [1])
    assert (await app.get_job(A, second)).status is JobState.PENDING
    floor.let_go(1, 2)
    assert await app.handle(A, second).result(timeout=PATIENCE) == 2


@pytest.mark.parametrize(("policy", "end"), [("cancel", JobState.CANCELLED), ("run", JobState.COMPLETED)])
async def test_a_parent_that_fails_decides_as_the_caller_said(
    opened: Open, database: Connection, policy: str, end: JobState
) -> None:
    @job("work")
    async def work(ctx: JobContext, data: Data) -> None:
        if data.n == 1:
            raise ValueError("no")

    app = await opened(work)
    first = await enqueue(database, "work", 1, max_attempts=1)
    second = await enqueue(database, "work", 2, after=[first], on_parent_failure=policy)

    async def ended() -> bool:
        return (await app.get_job(A, second)).status is end

    await until(ended)


async def test_a_job_of_another_tenant_is_no_parent(opened: Open, database: Connection) -> None:
    @job("work")
    async def work(ctx: JobContext, data: Data) -> None: ...

    app = await opened(work)
    theirs = await app.enqueue(work, Data(n=1), tenant=B)
    with pytest.raises(pg.ForeignKeyViolation, match="its tenant has no such job"):
        await enqueue(database, "work", 2, after=[theirs.job_id])
    assert await app.find_jobs(A) == []


async def test_the_newer_of_two_equal_jobs_supersedes_the_one_that_runs(
    opened: Open, floor: Floor, database: Connection
) -> None:
    @job("work", dedupe=Dedupe("account", "supersede"))
    async def work(ctx: JobContext, data: Data) -> None:
        async with floor.passing(data.n):
            if data.n == 1:
                await ctx.signal.wait()

    app = await opened(work)
    older = await enqueue(database, "work", 1)
    await until(lambda: floor.running == [1])
    newer = await enqueue(database, "work", 2)
    with pytest.raises(JobCancelledError, match="superseded by job"):
        await app.handle(A, older).result(timeout=PATIENCE)
    await app.handle(A, newer).result(timeout=PATIENCE)


async def test_the_newer_of_two_equal_jobs_replaces_only_one_that_waits(
    opened: Open, floor: Floor, database: Connection
) -> None:
    @job("work", limits=[Concurrency(1)])
    async def work(ctx: JobContext, data: Data) -> None:
        await floor.hold(data.n)

    app = await opened(work)
    same: Options = {"dedupe_key": "k", "on_conflict": "replace"}
    running = await enqueue(database, "work", 1, **same)
    await until(lambda: floor.running == [1])
    waiting = await enqueue(database, "work", 2, **same)
    last = await enqueue(database, "work", 3, **same)
    floor.let_go(1, 3)
    await app.handle(A, last).result(timeout=PATIENCE)
    states = [(await app.get_job(A, made)).status for made in (running, waiting)]
    assert states == [JobState.COMPLETED, JobState.CANCELLED]
    assert floor.began == [1, 3]


async def test_equal_jobs_stand_for_one_another_or_queue(opened: Open, floor: Floor, database: Connection) -> None:
    @job("work")
    async def work(ctx: JobContext, data: Data) -> None:
        await floor.hold(data.n)

    app = await opened(work)
    throttled: Options = {"dedupe_key": "t", "on_conflict": "throttle", "window": 3600}
    floor.let_go(0, 1, 2)
    first = await enqueue(database, "work", 0, **throttled)
    await app.handle(A, first).result(timeout=PATIENCE)
    assert await enqueue(database, "work", 9, **throttled) == first

    queued = [await enqueue(database, "work", n, dedupe_key="q", on_conflict="queue") for n in (1, 2)]
    await app.handle(A, queued[1]).result(timeout=PATIENCE)
    assert floor.ended == [0, 1, 2]

    late: Options = {"dedupe_key": "d", "on_conflict": "debounce", "window": 3600}
    put_off, newer = [await enqueue(database, "work", 3, **late) for _ in range(2)]
    assert (await app.get_job(A, put_off)).status is JobState.CANCELLED
    assert (await app.get_job(A, newer)).status is JobState.QUEUED
    assert await enqueue(database, "work", 4, dedupe_key="d") == newer


@pytest.mark.parametrize(
    "options",
    [
        {"limits": [Concurrency(1, key=lambda payload: payload["account"])]},
        {"limits": [RateLimit(1, key=lambda payload: payload["account"])]},
        {"dedupe": Dedupe(lambda payload: payload["account"])},
    ],
)
async def test_a_key_that_is_a_function_is_refused(opened: Open, database: Connection, options: Options) -> None:
    @job("sync", **options)
    async def sync(ctx: JobContext, data: Data) -> None: ...

    app = await opened(sync)
    with pytest.raises(pg.FeatureNotSupported, match="job 'sync': its jobs are told apart by a Python function"):
        await enqueue(database, "sync")
    assert await app.find_jobs(A) == []
    if "dedupe" in options:
        await enqueue(database, "sync", dedupe_key="mine")


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        ({}, {}, "its payload says nothing at 'account'"),
        ({"account": None}, {}, "its payload says nothing at 'account'"),
        ({"account": {"id": 1}}, {}, "its payload says nothing at 'account'"),
        ({"account": 1e30}, {}, "the number at 'account', by which its jobs are told apart, is too large"),
        ({"account": "x"}, {"tier": "gold"}, "job 'sync' has no tier 'gold'"),
        (
            {"account": "x"},
            {"dedupe_key": "k", "on_conflict": "debounce", "window": 1, "delay": 2},
            "neither delay nor",
        ),
    ],
)
async def test_what_the_handlers_rules_cannot_take_is_refused(
    opened: Open, database: Connection, data: Options, options: Options, message: str
) -> None:
    @job("sync", limits=[Concurrency(1, key="account", tiers={"pro": 2})])
    async def sync(ctx: JobContext, data: Data) -> None: ...

    await opened(sync)
    arguments = (json.dumps({"tenantId": str(A), **data}), json.dumps(options))
    with pytest.raises(pg.InvalidParameterValue, match=message):
        await database.execute("select jobcore.enqueue('sync', %s, %s)", arguments)


async def test_limits_hold_while_no_worker_lives(settings: Any, database: Connection) -> None:
    @job("sync", queue="mail", limits=[Concurrency(1)])
    async def sync(ctx: JobContext, data: Data) -> None: ...

    async with JobApp(settings, handlers=[sync]) as app:
        worker = app.worker()
        await worker.start()
        await worker.stop()
        made = await enqueue(database, "sync")
        row = await app.get_job(A, made)
    assert (row.status, row.queue) == (JobState.PENDING, "mail")


async def test_the_youngest_live_worker_says_which_limits_hold(opened: Open, database: Connection) -> None:
    @job("sync", limits=[Concurrency(1)])
    async def older(ctx: JobContext, data: Data) -> None: ...

    @job("sync")
    async def younger(ctx: JobContext, data: Data) -> None: ...

    await opened(older)
    limited = await enqueue(database, "sync")
    await opened(younger)
    plain = await enqueue(database, "sync")
    await database.execute(
        "update jobcore.workers set seen_at = now() - interval '2 minutes' where worker_id = "
        "(select worker_id from jobcore.workers order by started_at desc limit 1)"
    )
    again = await enqueue(database, "sync")
    rows = await (await database.execute("select job_id from jobs where admission is not null")).fetchall()
    assert {row["job_id"] for row in rows} == {limited, again}
    assert plain not in {limited, again}


async def test_a_tenants_role_passes_the_limits_of_handlers_that_it_cannot_read(
    opened: Open, database: Connection
) -> None:
    @job("sync", limits=[Concurrency(1), FairShare(weights={A: 2.0, B: 3.0})])
    async def sync(ctx: JobContext, data: Data) -> None: ...

    app = await opened(sync)
    async with database.transaction():
        await database.execute("set local role jobcore_tenant")
        await database.execute("select set_config('jobcore.tenant', %s, true)", (str(A),))
        made = await enqueue(database, "sync")
        for refused in (
            "select * from jobcore.workers",
            "select * from jobcore.announced",
            "select * from jobcore.flow_announced('sync')",
            "select jobcore.flow_plan('{}')",
            f"""select jobcore.tenant_flow_plan('{{"tenant": "{B}", "type": "sync"}}')""",
            f"""select jobcore.enqueue('sync', '{{"tenantId": "{B}"}}')""",
        ):
            with pytest.raises(pg.InsufficientPrivilege):
                async with database.transaction():
                    await database.execute(refused)  # pyright: ignore[reportArgumentType]
    await app.handle(A, made).result(timeout=PATIENCE)
