"""`complete_in`, and the process dies: the handler's row and the completion are both there, or neither is."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from jobcore.app import JobApp
from jobcore.ids import SYSTEM_TENANT
from jobcore.states import JobState
from jobcore_devkit.postgres import PostgresServer
from support.chaos_jobs import Marked, bill
from support.checker import assert_clean
from support.fleet import Fleet, eventually
from support.history import EffectLedger, read_history
from support.proxy import Proxy, proxied

KILLED = ("before the row", "after the row", "after the settlement", "at the commit", "after the commit")


@pytest.fixture
def bills(job_dsn: str) -> None:
    with psycopg.connect(job_dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE bills (job_id uuid NOT NULL, attempt int NOT NULL)")
        connection.execute("GRANT ALL ON bills TO public")


def both_or_neither(dsn: str) -> dict[str, bool]:
    """Whether each job has its row; fails where the row and the completion do not agree."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select j.payload ->> 'key', j.status = 'completed', count(b.job_id) "
            "from jobs j left join bills b using (job_id) group by j.tenant, j.job_id"
        ).fetchall()
    assert {(key, count) for key, is_completed, count in rows if count != is_completed} == set()
    return {key: is_completed for key, is_completed, _ in rows}


@pytest.mark.usefixtures("bills")
async def test_a_kill_at_any_point_leaves_both_or_neither_and_one_row_in_the_end(
    app: JobApp, fleet: Fleet, job_dsn: str, ledger: EffectLedger
) -> None:
    for point in KILLED:
        await fleet.start(1, app)
        handle = await app.enqueue(bill, Marked(key=point), tenant=SYSTEM_TENANT)

        async def died() -> bool:
            return fleet.processes[-1].poll() is not None

        await eventually(died, f"the worker kills itself {point}")
        assert both_or_neither(job_dsn)[point] == (await handle.status()).status.is_terminal
    assert both_or_neither(job_dsn)["after the commit"]

    await fleet.start(1, app)
    await eventually(lambda: all_completed(app, len(KILLED)), "the jobs are taken up again")
    assert both_or_neither(job_dsn) == dict.fromkeys(KILLED, True)
    history = read_history(job_dsn, log=None, ledger=ledger)
    assert_clean(history)
    # The step had finished before each kill, and is not run again by the attempt after it.
    prepared = Counter(effect.job_id for effect in history.effects if effect.kind == "prepared")
    assert set(prepared.values()) == {1}
    assert len(prepared) == len(KILLED)


class TestAReplyThatIsLost:
    @pytest.fixture
    async def proxy(self, postgres_server: PostgresServer) -> AsyncIterator[Proxy]:
        async with proxied(postgres_server.port) as proxy:
            yield proxy

    @pytest.fixture
    def fleet(
        self, environment: dict[str, str], job_dsn: str, postgres_server: PostgresServer, proxy: Proxy, tmp_path: Path
    ) -> object:
        direct = urlsplit(postgres_server.dsn(urlsplit(job_dsn).path.lstrip("/"), tcp=True))
        through = direct._replace(netloc=f"{direct.netloc.rpartition(':')[0]}:{proxy.port}").geturl()
        with Fleet(tmp_path, {**environment, "DATABASE_URL": through}) as fleet:
            yield fleet

    @pytest.mark.usefixtures("bills")
    async def test_to_a_commit_that_was_made_undoes_and_repeats_nothing(
        self, app: JobApp, fleet: Fleet, job_dsn: str, ledger: EffectLedger, proxy: Proxy
    ) -> None:
        await fleet.start(1, app)
        handle = await app.enqueue(bill, Marked(key="at the reply"), tenant=SYSTEM_TENANT)

        async def stands_before_its_commit() -> bool:
            return any(effect.kind == "about to commit" for effect in ledger.read())

        await eventually(stands_before_its_commit, "the handler is about to commit")
        proxy.lose_reply(b"COMMIT")
        ledger.let_go()

        async def lost() -> bool:
            return proxy.has_lost_reply

        await eventually(lost, "the reply is lost")
        assert await handle.result(timeout=30) is None
        assert both_or_neither(job_dsn) == {"at the reply": True}
        # Whoever did not hear of it finds out: the worker goes on, and the job is not run again.
        await app.enqueue(bill, Marked(key="nowhere"), tenant=SYSTEM_TENANT)
        await eventually(lambda: all_completed(app, 2), "the worker goes on")
        history = read_history(job_dsn, log=None, ledger=ledger)
        assert_clean(history)
        assert Counter(effect.job_id for effect in history.effects if effect.kind == "start")[handle.job_id] == 1


async def all_completed(app: JobApp, count: int) -> bool:
    return (await app.metrics()).by_state.get(JobState.COMPLETED, 0) == count
