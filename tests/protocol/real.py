"""The job in a real PostgreSQL: each call of the model is made there, by our own statements."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Any, LiteralString
from uuid import UUID, uuid4

import orjson
from psycopg import Connection
from psycopg.rows import DictRow

from jobcore.ids import uuid7
from jobcore_pgboss.statements import statement as pgboss_statement
from jobcore_postgres.statements import statement
from protocol.state import ATTEMPTS, PGBOSS, TEMPORAL, Entry, Store, Token
from protocol.step import Call

QUEUE = "protocol"
LONG = 3600.0
ERROR = orjson.dumps({"type": "Test", "message": "in the walk"}).decode()
LET_TIME_PASS = "update jobcore.outbox set try_at = statement_timestamp() where job_id = %s and epoch = %s"
LET_LEASE_END = (
    "update pgboss.job set heartbeat_on = heartbeat_on - interval '1 hour' where id = %s and state = 'active'"
)
LOOK_AT_ROW = "select * from jobs where job_id = %s"
LOOK_AT_OUTBOX = """
select epoch, state::text, state = 'due' and tries > 0 as tried,
    state = 'due' and try_at > statement_timestamp() + interval '1 minute' as taken, runner_type
from jobcore.outbox where job_id = %s order by epoch"""
LOOK_AT_QUEUE = """
select state = 'active' as active, retry_count, started_on is not null as begun from pgboss.job where id = %s"""


def clean(connection: Connection[DictRow]) -> None:
    """Leave nothing that another walk would meet."""
    for table in ("jobcore.outbox", "pgboss.job", "job_details", "jobs"):
        connection.execute(f"delete from {table}".encode())


class RealJob:
    """One job, in a database that has no other."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection
        self._tenant, self._job_id, self._worker = uuid4(), uuid7(), uuid4()
        self._claims: dict[int, DictRow] = {}

    def make(self, call: Call) -> Any:
        """Make a call; return its answer in the model's words."""
        act: Callable[..., Any] = getattr(self, f"_{call.name}")
        return act(*call.arguments)

    def on(self, connection: Connection[DictRow]) -> RealJob:
        """Return the same job as another connection sees it."""
        other = copy(self)
        other._connection = connection
        return other

    @classmethod
    def calls(cls) -> set[str]:
        """Return the names of all calls that can be made."""
        begins = ("_outbox_", "_pgboss_", "_job_", "_time_passes")
        return {name.removeprefix("_") for name in vars(cls) if name.startswith(begins)}

    def is_like(self, store: Store) -> None:
        """Assert that the rows are as the model says."""
        assert self._row() == _row_of(store)
        assert self._outbox() == list(map(_entry_of, store.outbox))
        queue = store.queue
        assert self._queue() == (None if queue is None else (queue.active, queue.count, queue.begun))

    # -- what is there -------------------------------------------------------------------------------------------------

    def _row(self) -> dict[str, Any] | None:
        [row] = self._rows(LOOK_AT_ROW, self._job_id) or [None]
        return row and {
            "status": row["status"],
            "epoch": row["epoch"],
            "runner": row["runner_type"],
            "attempt": row["attempt"],
            "most": row["max_attempts"],
            "rescues": row["rescues"],
            "token": row["lease_token"],
            "cancel": row["cancel_requested"] is not None,
        }

    def _outbox(self) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in self._rows(LOOK_AT_OUTBOX, self._job_id)]

    def _queue(self) -> tuple[Any, ...] | None:
        rows = self._rows(LOOK_AT_QUEUE, self._job_id)
        return tuple(rows[0].values()) if rows else None

    # -- what happens --------------------------------------------------------------------------------------------------

    def _time_passes(self, epoch: int) -> None:
        self._connection.execute(LET_TIME_PASS, (self._job_id, epoch))

    def _outbox_enqueue(self) -> bool:
        job = {
            "id": self._job_id,
            "tenant": self._tenant,
            "type": QUEUE,
            "payload": {},
            "queue": QUEUE,
            "max_attempts": ATTEMPTS,
            "runner_type": TEMPORAL,
            "status": "queued",
        }
        return self._one(statement("outbox_enqueue"), _json(job))["inserted"]

    def _outbox_take(self) -> tuple[int, ...]:
        return tuple(row["epoch"] for row in self._rows(statement("outbox_take"), TEMPORAL, 10, LONG))

    def _outbox_handed(self, epoch: int) -> None:
        self._one(statement("outbox_handed"), self._reference(epoch), LONG)

    def _outbox_postpone(self, epoch: int) -> None:
        self._one(statement("outbox_postpone"), self._reference(epoch, seconds=0, error="away"))

    def _outbox_look(self, state: str, epoch: int) -> None:
        self._time_passes(epoch)
        assert epoch in {row["epoch"] for row in self._rows(statement("outbox_look"), TEMPORAL, state, 10, LONG)}

    def _outbox_forget(self, epoch: int) -> None:
        self._one(statement("outbox_forget"), self._reference(epoch))

    def _outbox_claim(self, token: Token) -> str:
        run_id, _, number = _text_of(token).partition("#")
        arguments = (self._tenant, self._job_id, token.epoch, "workflow", run_id, int(number), self._worker)
        row = self._one(statement("outbox_claim"), *arguments)
        return f"ended {row['follow']}" if row["verdict"] == "ended" else row["verdict"]

    def _outbox_settle(self, epoch: int, outcome: str, attempt: int, token: Token) -> str | None:
        end = self._reference(epoch, outcome=outcome, attempt=attempt, token=_text_of(token), error=orjson.loads(ERROR))
        return self._one(statement("outbox_settle"), end)["follow"]

    def _outbox_end(self, epoch: int, outcome: str) -> str | None:
        end = self._reference(epoch, outcome=outcome, error=orjson.loads(ERROR))
        return self._one(statement("outbox_settle"), end)["follow"]

    def _outbox_restart(self, epoch: int) -> str:
        return self._value(statement("outbox_restart"), self._tenant, self._job_id, epoch, ERROR)

    def _outbox_cancel(self, epoch: int | None = None) -> bool:
        return self._value(statement("outbox_cancel"), self._tenant, self._job_id, "unwanted", "ann", epoch)

    def _outbox_retry(self) -> bool:
        return self._value(statement("outbox_retry"), self._tenant, self._job_id)

    def _job_move(self, target: str) -> bool:
        return bool(self._rows(statement("job_move"), self._reference(0), target, "{}"))

    def _job_claim(self, token: Token, attempt: int) -> bool:
        lease = {"tenant": self._tenant, "job_id": self._job_id, "attempt": attempt, "token": _text_of(token)}
        return self._one(pgboss_statement("claim"), _json(lease), self._worker)["granted"]

    def _pgboss_fetch(self, number: int) -> int:
        claim = self._one("select * from jobcore.pgboss_fetch(array[%s], 1, 300)", QUEUE)
        self._claims[number] = claim
        return claim["retry_count"] + 1

    def _pgboss_settle(self, number: int, attempt: int, outcome: str) -> str | None:
        fence = {key: self._claims[number][key] for key in ("queue", "retry_count", "started_us")}
        end = {"tenant": self._tenant, "job_id": self._job_id, "attempt": attempt, "outcome": outcome, **fence}
        row = self._one("select * from jobcore.pgboss_settle(%s)", _json({**end, "error": orjson.loads(ERROR)}))
        assert row["applied"] or row["follow"] is None
        return row["follow"]

    def _pgboss_rescue(self) -> None:
        self._connection.execute(LET_LEASE_END, (self._job_id,))
        self._rows("select * from jobcore.pgboss_rescue(array[%s], 10)", QUEUE)

    def _pgboss_cancel(self) -> bool:
        return self._value(pgboss_statement("cancel"), self._tenant, self._job_id, "unwanted", "ann")

    def _pgboss_retry(self) -> bool:
        return self._value(pgboss_statement("retry"), self._tenant, self._job_id)

    def _reference(self, epoch: int, **more: Any) -> str:
        return _json({"tenant": self._tenant, "job_id": self._job_id, "epoch": epoch, **more})

    def _rows(self, query: LiteralString, *parameters: Any) -> list[DictRow]:
        return self._connection.execute(query, parameters).fetchall()

    def _one(self, query: LiteralString, *parameters: Any) -> DictRow:
        [row] = self._rows(query, *parameters)
        return row

    def _value(self, query: LiteralString, *parameters: Any) -> Any:
        [value] = self._one(query, *parameters).values()
        return value


def _row_of(store: Store) -> dict[str, Any] | None:
    row = store.row
    return row and {**row._asdict(), "token": row.token and _text_of(row.token)}


def _entry_of(entry: Entry) -> tuple[Any, ...]:
    is_due = entry.state == "due"
    return (entry.epoch, entry.state, is_due and entry.tried, is_due and entry.taken, entry.runner)


def _text_of(token: Token) -> str:
    if token.engine == PGBOSS:
        return f"claim {token.number}"
    return f"run-{token.epoch}-{token.run}#{token.number}"


def _json(element: dict[str, Any] | UUID) -> str:
    return orjson.dumps([element]).decode()
