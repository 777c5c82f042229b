"""Each step of the model is one: of two functions at once, the second sees all that the first did, or waits for it."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import DictRow, dict_row

from protocol.real import RealJob
from protocol.state import PGBOSS, TEMPORAL, Token
from protocol.step import Call

IS_BLOCKED = "select exists (select from pg_locks where not granted) as blocked"
CLAIM = Call("outbox_claim", (Token(TEMPORAL, 0, 1, 1),))
LATER_CLAIM = Call("outbox_claim", (Token(TEMPORAL, 0, 1, 2),))
SETTLE = Call("outbox_settle", (0, "completed", 1, Token(TEMPORAL, 0, 1, 1)))
MOVE = Call("job_move", (PGBOSS,))
CANCEL = Call("outbox_cancel")
LOST = Call("outbox_restart", (0,))
TERMINATED = Call("outbox_end", (0, "failed"))

PAIRS = {
    "a claim before a move": ([], CLAIM, MOVE, False),
    "a move before a claim": ([], MOVE, CLAIM, "moved"),
    "a claim before a cancellation": ([], CLAIM, CANCEL, True),
    "a cancellation before a claim": ([], CANCEL, CLAIM, "ended cancelled"),
    "a move before a cancellation": ([], MOVE, CANCEL, False),
    "a cancellation before a move": ([], CANCEL, MOVE, False),
    "a settlement before the claim of a later run": ([CLAIM], SETTLE, LATER_CLAIM, "ended completed"),
    "the claim of a later run before a settlement": ([CLAIM], LATER_CLAIM, SETTLE, None),
    "a restart before a claim": ([], LOST, CLAIM, "moved"),
    "a claim before a restart": ([], CLAIM, LOST, "lost"),
    "an end in Temporal before a settlement": ([CLAIM], TERMINATED, SETTLE, None),
    "a settlement before an end in Temporal": ([CLAIM], SETTLE, TERMINATED, None),
}


@pytest.fixture
def connections(database_dsn: str) -> Generator[list[Connection[DictRow]]]:
    opened = [psycopg.connect(database_dsn, row_factory=dict_row) for _ in range(3)]
    yield opened
    for connection in opened:
        connection.close()


@pytest.mark.parametrize("name", PAIRS)
def test_the_second_waits_for_the_first(name: str, connections: list[Connection[DictRow]]) -> None:
    begun, first, second, answer = PAIRS[name]
    one, other, witness = connections
    job = RealJob(one)
    for call in (Call("outbox_enqueue"), Call("outbox_take"), Call("outbox_handed", (0,)), *begun):
        job.make(call)
    one.commit()
    witness.autocommit = other.autocommit = True

    job.make(first)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(job.on(other).make, second)
        while not waiting.done() and not witness.execute(IS_BLOCKED).fetchall()[0]["blocked"]:
            pass
        assert not waiting.done()
        one.commit()
        assert waiting.result(timeout=10) == answer
