"""pg-boss's verbs in the application's own transaction, with each asynchronous library: all of it or nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from jobcore_pgboss.boss import PgBoss
from jobcore_pgboss.boss.errors import QueueNotFoundError
from pgboss_runner.bridge_callers import ASYNC_CALLERS, AsyncCaller

pytestmark = pytest.mark.parametrize("library", ASYNC_CALLERS, ids=lambda library: library.__name__)


@dataclass(frozen=True)
class Stage:
    """A queue "mail" that hears of "news", with a job that waits and one that was fetched."""

    boss: PgBoss
    dsn: str
    waiting: Any
    running: Any

    async def rows(self, query: str) -> list[dict[str, Any]]:
        async with await psycopg.AsyncConnection.connect(self.dsn, autocommit=True, row_factory=dict_row) as connection:
            return await (await connection.execute(query.encode())).fetchall()

    async def picture(self) -> list[dict[str, Any]]:
        """All that the verbs may change, as others see it."""
        jobs = await self.rows("select id, state, output, retry_count, data from pgboss.job order by id")
        return [*jobs, *await self.rows("select name, key, cron, data from pgboss.schedule order by name, key")]

    async def state(self, job_id: Any) -> str:
        return (await self.rows(f"select state from pgboss.job where id = '{job_id}'"))[0]["state"]


@pytest.fixture
async def stage(database_dsn: str) -> AsyncGenerator[Stage]:
    async with PgBoss(database_dsn) as boss:
        await boss.create_queue("mail", retry_limit=0)
        await boss.subscribe("news", "mail")
        running = await boss.send("mail", priority=1)
        await boss.fetch("mail")
        waiting = await boss.send("mail", {"n": "50% of :them"})
        yield Stage(boss, database_dsn, waiting, running)


@pytest.fixture
async def caller(library: type[AsyncCaller], database_dsn: str) -> AsyncGenerator[AsyncCaller]:
    async with library.open(database_dsn) as caller:
        yield caller


Act = Callable[[Stage, Any], Awaitable[Any]]
Seen = Callable[[Stage], Awaitable[bool]]


async def jobs_of(stage: Stage, data: str) -> int:
    return len(await stage.rows(f"select from pgboss.job where data = '{data}'"))


VERBS: dict[str, tuple[Act, Seen]] = {
    "send": (
        lambda s, c: s.boss.send("mail", {"new": 1}, connection=c),
        lambda s: holds(jobs_of(s, '{"new": 1}'), 1),
    ),
    "insert": (
        lambda s, c: s.boss.insert("mail", [{"data": {"new": 1}}, {"data": {"new": 1}}], connection=c),
        lambda s: holds(jobs_of(s, '{"new": 1}'), 2),
    ),
    "publish": (
        lambda s, c: s.boss.publish("news", {"new": 1}, connection=c),
        lambda s: holds(jobs_of(s, '{"new": 1}'), 1),
    ),
    "fetch": (lambda s, c: s.boss.fetch("mail", connection=c), lambda s: holds(s.state(s.waiting), "active")),
    "complete": (
        lambda s, c: s.boss.complete("mail", s.running, {"done": "100 %"}, connection=c),
        lambda s: holds(s.state(s.running), "completed"),
    ),
    "fail": (
        lambda s, c: s.boss.fail("mail", s.running, ValueError("no :route"), connection=c),
        lambda s: holds(s.state(s.running), "failed"),
    ),
    "cancel": (
        lambda s, c: s.boss.cancel("mail", [s.running, s.waiting], connection=c),
        lambda s: holds(s.state(s.waiting), "cancelled"),
    ),
    "schedule": (
        lambda s, c: s.boss.schedule("mail", "5 4 * * *", {"n": 1}, key="nightly", connection=c),
        lambda s: holds(s.rows("select key from pgboss.schedule"), [{"key": "nightly"}]),
    ),
}
"""What each does to the stage, and whether others see it."""


async def holds(found: Awaitable[Any], wanted: Any) -> bool:
    return await found == wanted


@pytest.mark.parametrize("verb", VERBS)
async def test_a_commit_makes_it_seen_and_not_before(stage: Stage, caller: AsyncCaller, verb: str) -> None:
    act, seen = VERBS[verb]
    before = await stage.picture()
    async with caller.transaction():
        answer = await act(stage, caller.handed)
        assert await stage.picture() == before
    assert await seen(stage)
    assert answer or verb == "schedule"


@pytest.mark.parametrize("verb", VERBS)
async def test_a_rollback_leaves_nothing(stage: Stage, caller: AsyncCaller, verb: str) -> None:
    act, seen = VERBS[verb]
    before = await stage.picture()
    with suppress(ZeroDivisionError):
        async with caller.transaction():
            await act(stage, caller.handed)
            raise ZeroDivisionError
    assert await stage.picture() == before
    assert not await seen(stage)


async def test_a_handlers_rows_and_its_jobs_end_commit_together(stage: Stage, caller: AsyncCaller) -> None:
    async with caller.transaction():
        await caller.run("create table orders (id int)")
    for broken in (True, False):
        with suppress(ZeroDivisionError):
            async with caller.transaction():
                jobs = await stage.boss.fetch("mail", connection=caller.handed)
                await caller.run("insert into orders values (1)")
                await stage.boss.complete("mail", jobs, connection=caller.handed)
                _ = 1 / (not broken)
        assert len(await stage.rows("select from orders")) == (not broken)
        assert await stage.state(stage.waiting) == ("created" if broken else "completed")


async def test_an_unknown_queue_is_told_as_such(stage: Stage, caller: AsyncCaller) -> None:
    with pytest.raises(QueueNotFoundError, match="nowhere"):
        async with caller.transaction():
            await stage.boss.send("nowhere", {}, connection=caller.handed)
    async with caller.transaction():
        assert await stage.boss.send("mail", {"new": 1}, connection=caller.handed) is not None
    assert await jobs_of(stage, '{"new": 1}') == 1
