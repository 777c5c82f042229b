"""`complete_in`: the handler's rows and the job's completion commit together, or not at all."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from jobcore import JobContext, job
from jobcore.errors import ForeignConnectionError, InputError
from jobcore.execution import AlreadyCompletedError
from jobcore.ids import uuid7
from jobcore.memory.connection import MemoryConnection
from jobcore.models import NewJob, Outcome, Settlement
from support.execution import Bench, Session


async def run(function: Any, **options: Any) -> tuple[Settlement, Session]:
    @job("act", timeout=options.pop("timeout", timedelta(minutes=1)))
    async def act(ctx: JobContext, data: dict[str, Any]) -> Any:
        return await function(ctx)

    bench = Bench(act, **options)
    return await bench.run(act), bench.session


async def in_own(ctx: JobContext, session: Session) -> Any:
    return ctx.complete_in(session.database.connection(), result="done")


async def test_rows_and_completion_become_visible_together() -> None:
    async def bills(ctx: JobContext) -> str:
        async with ctx.complete_in(ctx.db, result={"invoice": 1}) as connection:
            connection.write("invoice row")
            assert connection._rows == []
        return "something else"

    settlement, session = await run(bills)
    assert settlement.settled
    assert settlement.outcome is Outcome.COMPLETED
    assert settlement.result == b'{"invoice":1}'
    assert session.committed[0] == "invoice row"
    assert not session.settlements[0].settled
    assert session.settlements[0].outcome is Outcome.COMPLETED


async def test_a_connection_of_ctx_db_that_is_already_in_its_transaction_is_joined() -> None:
    async def bills(ctx: JobContext) -> None:
        async with ctx.db.transaction() as connection:
            connection.write("invoice row")
            async with ctx.complete_in(connection):
                connection.write("second row")

    settlement, session = await run(bills)
    assert settlement.settled
    assert session.committed[:2] == ["invoice row", "second row"]
    assert len(session.settlements) == 1


async def test_an_idle_connection_gets_a_transaction_of_its_own() -> None:
    session = Session()
    connection = session.database.connection()

    async def bills(ctx: JobContext) -> None:
        async with ctx.complete_in(connection) as opened:
            assert opened is connection
            opened.write("row")

    settlement, _ = await run(bills)
    assert settlement.settled
    assert session.committed[0] == "row"


async def test_after_the_commit_nothing_changes_the_outcome() -> None:
    async def fails_late(ctx: JobContext) -> None:
        async with ctx.complete_in(ctx.db):
            pass
        raise ValueError("too late to matter")

    settlement, _ = await run(fails_late)
    assert (settlement.outcome, settlement.settled) == (Outcome.COMPLETED, True)

    async def hangs_late(ctx: JobContext) -> None:
        async with ctx.complete_in(ctx.db):
            pass
        await asyncio.Event().wait()

    settlement, _ = await run(hangs_late, timeout=timedelta(milliseconds=50))
    assert (settlement.outcome, settlement.settled) == (Outcome.COMPLETED, True)


@pytest.mark.parametrize("joined", [False, True])
async def test_an_error_in_the_block_rolls_back_and_leaves_the_job_unsettled(joined: bool) -> None:
    async def breaks(ctx: JobContext) -> None:
        if joined:
            async with ctx.db.transaction() as connection:
                async with ctx.complete_in(connection):
                    connection.write("row")
                raise ValueError("after the block, before COMMIT")
        async with ctx.complete_in(ctx.db) as connection:
            connection.write("row")
            raise ValueError("in the block")

    settlement, session = await run(breaks)
    assert (settlement.outcome, settlement.settled) == (Outcome.RETRY, False)
    assert session.committed == []


async def test_a_commit_that_fails_leaves_the_job_unsettled() -> None:
    async def breaks(ctx: JobContext) -> None:
        async with ctx.complete_in(ctx.db) as connection:
            connection.fail_commit = True

    settlement, session = await run(breaks)
    assert (settlement.outcome, settlement.settled) == (Outcome.RETRY, False)
    assert session.committed == []


async def test_a_time_out_in_the_block_rolls_back() -> None:
    async def hangs(ctx: JobContext) -> None:
        async with ctx.complete_in(ctx.db) as connection:
            connection.write("row")
            await asyncio.Event().wait()

    settlement, session = await run(hangs, timeout=timedelta(milliseconds=50))
    assert (settlement.outcome, settlement.settled) == (Outcome.RETRY, False)
    assert session.committed == []


async def test_a_claim_that_was_lost_raises_before_the_commit() -> None:
    async def loses(ctx: JobContext) -> None:
        async with ctx.complete_in(ctx.db) as connection:
            connection.write("row")
            sessions[0].lose()

    @job("act")
    async def act(ctx: JobContext, data: dict[str, Any]) -> None:
        await loses(ctx)

    bench = Bench(act)
    sessions = [bench.session]
    settlement = await bench.run(act)
    assert (settlement.outcome, settlement.settled) == (Outcome.RELEASED, True)
    assert bench.session.committed == []


async def test_a_transaction_that_somebody_else_opened_is_refused_with_what_to_do() -> None:
    async def wrong(ctx: JobContext) -> None:
        async with Session().database.transaction() as connection:
            with pytest.raises(InputError, match=r"Pass ctx\.db"):
                async with ctx.complete_in(connection):
                    pass

    settlement, _ = await run(wrong)
    assert (settlement.outcome, settlement.settled) == (Outcome.COMPLETED, False)


async def test_a_rollback_that_the_driver_keeps_to_itself_is_no_completion() -> None:
    class Rollback(Exception):
        pass

    class Quiet:
        """Like psycopg, whose transaction blocks swallow their own `Rollback`."""

        def __init__(self, session: Session) -> None:
            self._session = session

        def transaction(self) -> Any:
            inner = self._session.database.transaction

            class Block:
                async def __aenter__(self) -> Any:
                    self.block = inner()
                    return await self.block.__aenter__()

                async def __aexit__(self, *error: Any) -> bool:
                    try:
                        await self.block.__aexit__(*error)
                    except Rollback:
                        return True
                    return False

            return Block()

    async def undoes(ctx: JobContext) -> None:
        async with ctx.db.transaction() as connection:
            async with ctx.complete_in(connection):
                connection.write("row")
            raise Rollback

    @job("act")
    async def act(ctx: JobContext, data: dict[str, Any]) -> None:
        await undoes(ctx)

    bench = Bench(act)
    database = Session()
    bench.session.database = Quiet(database)
    settlement = await bench.run(act)
    assert not settlement.settled
    assert database.committed == []


async def test_completing_twice_and_reporting_after_completion_are_refused() -> None:
    async def twice(ctx: JobContext) -> None:
        async with ctx.complete_in(ctx.db):
            pass
        await ctx.progress(50)
        await ctx.heartbeat()
        with pytest.raises(AlreadyCompletedError):
            await ctx.detail("item", "done")
        with pytest.raises(AlreadyCompletedError):
            async with ctx.complete_in(ctx.db):
                pass

    settlement, session = await run(twice)
    assert settlement.settled
    assert len(session.settlements) == 1
    assert session.progress_rows == []
    assert session.heartbeats == 0


async def test_the_last_progress_is_written_before_the_completion() -> None:
    async def reports(ctx: JobContext) -> None:
        await ctx.progress(10)
        await ctx.progress(90, "nearly")
        async with ctx.complete_in(ctx.db):
            pass

    _, session = await run(reports)
    assert session.progress_rows == [(10, None), (90, "nearly")]


async def test_a_follow_up_commits_with_the_completion() -> None:
    def plan(parent: Any, name: Any, data: Any, delay: Any, priority: int) -> NewJob:
        return NewJob(job_id=uuid7(), tenant=parent.tenant, name=name, payload=b"{}", runner_type="memory", queue=name)

    async def submit(jobs: Any, connection: Any) -> Any:
        raise AssertionError("must go through the connection")

    async def bills(ctx: JobContext) -> None:
        async with ctx.complete_in(ctx.db) as connection:
            await ctx.enqueue("mail-invoice", {}, connection=connection)

    _, session = await run(bills, plan_child=plan, submit=submit)
    assert [type(row).__name__ for row in session.committed] == ["NewJob", "Settlement"]


async def test_another_databases_connection_is_refused_by_the_session() -> None:
    class Strict(Session):
        async def settle_in(self, connection: Any, settlement: Settlement) -> None:
            raise ForeignConnectionError("that is another database")

    @job("act")
    async def act(ctx: JobContext, data: dict[str, Any]) -> None:
        async with ctx.complete_in(MemoryConnection(object())):
            pass

    bench = Bench(act)
    settlement = await bench.run(act, session=Strict())
    assert settlement.outcome is Outcome.RETRY
    assert "another database" in settlement.error["message"]
