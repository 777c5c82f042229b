"""The history of a test run: what clients were told, what handlers really did, and how every job moved.

Three witnesses that cannot influence each other:

- the client log, a file that an enqueueing process appends to before and after each call, so that a call whose answer
  was lost stands as `unknown`;
- the effect ledger, a table in a *second* database where handlers write their starts and ends in autocommit, so that no
  rollback of ours hides a run;
- the job event log, written by a trigger on `jobs` in the transaction of each change, so that it holds what was
  committed and nothing else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

Answer = Literal["ok", "failed", "unknown"]

INSTALL_EVENT_LOG = """
CREATE SCHEMA IF NOT EXISTS witness;
CREATE TABLE witness.job_events (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    tenant uuid NOT NULL, job_id uuid NOT NULL, source text, target text NOT NULL,
    attempt int NOT NULL, epoch int NOT NULL, runner text NOT NULL
);
CREATE FUNCTION witness.note_move() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO witness.job_events (tenant, job_id, source, target, attempt, epoch, runner)
        VALUES (NEW.tenant, NEW.job_id, NULL, NEW.status, NEW.attempt, NEW.epoch, NEW.runner_type);
    ELSIF NEW.status IS DISTINCT FROM OLD.status OR NEW.attempt <> OLD.attempt OR NEW.epoch <> OLD.epoch THEN
        INSERT INTO witness.job_events (tenant, job_id, source, target, attempt, epoch, runner)
        VALUES (NEW.tenant, NEW.job_id, OLD.status, NEW.status, NEW.attempt, NEW.epoch, NEW.runner_type);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER witness_moves AFTER INSERT OR UPDATE ON public.jobs FOR EACH ROW EXECUTE FUNCTION witness.note_move();
"""

LEFT_OVER = """
SELECT k.kept AS table, k.job_id
FROM (
    SELECT 'admissions', tenant, job_id FROM jobcore.admissions
    UNION ALL SELECT 'slots', tenant, job_id FROM jobcore.slots
    UNION ALL SELECT 'dependencies', tenant, child_id FROM jobcore.dependencies WHERE NOT settled
) k (kept, tenant, job_id)
LEFT JOIN jobs j ON j.tenant = k.tenant AND j.job_id = k.job_id
WHERE coalesce(j.status, 'completed') IN ('completed', 'failed', 'cancelled')
    AND (%(tenants)s::uuid[] IS NULL OR k.tenant = ANY (%(tenants)s))
"""

INSTALL_LEDGER = """
CREATE TABLE effects (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    job_id uuid NOT NULL, attempt int NOT NULL, pid int NOT NULL, kind text NOT NULL, key text, engine text
);
"""


@dataclass(frozen=True)
class ClientCall:
    """One enqueue as its caller saw it."""

    job_id: UUID
    answer: Answer


@dataclass(frozen=True)
class Effect:
    """A run of a handler that began (`start`) or ended by itself (`end`)."""

    at: datetime
    job_id: UUID
    attempt: int
    pid: int
    kind: str
    key: str | None = None
    engine: str | None = None
    """Which engine gave the job to the worker; `None` where a test has one engine only."""


@dataclass(frozen=True)
class Move:
    """A committed change of a job's state, attempt or epoch; `source` is `None` where the row was made."""

    at: datetime
    tenant: UUID
    job_id: UUID
    source: str | None
    target: str
    attempt: int
    epoch: int
    runner: str | None = None


@dataclass(frozen=True)
class JobRow:
    """What stands in `jobs` at the end."""

    tenant: UUID
    job_id: UUID
    status: str
    attempt: int
    rescues: int
    updated_at: datetime | None
    schedule_id: UUID | None = None
    fire_time: datetime | None = None
    parent_job_id: UUID | None = None
    epoch: int = 0


@dataclass(frozen=True)
class WorkflowRun:
    """A workflow of Temporal that has ended: of which job and epoch, how and when."""

    job_id: UUID
    epoch: int
    status: str
    closed_at: datetime


@dataclass(frozen=True)
class AttemptRow:
    """A row of `job_details` about an attempt: `failed` or `lost`."""

    job_id: UUID
    status: str
    retry_count: int


@dataclass(frozen=True)
class LeftOver:
    """What flow control keeps, in a table of its name, for a job that has ended or is no more."""

    table: str
    job_id: UUID | None


@dataclass
class History:
    """Everything the checker needs; `now` is the database's clock when it was read."""

    now: datetime
    calls: Sequence[ClientCall] = ()
    effects: Sequence[Effect] = ()
    moves: Sequence[Move] = ()
    jobs: Sequence[JobRow] = ()
    attempts: Sequence[AttemptRow] = ()
    left_over: Sequence[LeftOver] = ()
    workflows: Sequence[WorkflowRun] = ()
    exclusive: bool = False
    """Whether runs of one key may never overlap (singleton and superseding jobs)."""
    stale_after: timedelta = field(default=timedelta(minutes=6))
    """Lease + rescue interval + grace."""
    told_after: timedelta = field(default=timedelta(seconds=30))
    """How long after its workflow a row may end."""


class ClientLog:
    """The client log: one JSON line before a call, one after it, each on disk before the next step."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def call(self, *job_ids: UUID) -> Iterator[None]:
        """Record an enqueue of these jobs: `ok` if the block ends, `failed` if it raises what proves a refusal.

        An error of the connection proves nothing: the line stays `unknown`.
        """
        self._append({"began": [str(job_id) for job_id in job_ids]})
        try:
            yield
        except (psycopg.OperationalError, ConnectionError, TimeoutError):
            raise
        except Exception:
            self._append({"failed": [str(job_id) for job_id in job_ids]})
            raise
        self._append({"ok": [str(job_id) for job_id in job_ids]})

    def _append(self, line: dict[str, Any]) -> None:
        with self._path.open("ab", buffering=0) as file:
            file.write(json.dumps(line).encode() + b"\n")
            os.fsync(file.fileno())

    def read(self) -> list[ClientCall]:
        answers: dict[UUID, Answer] = {}
        for text in self._path.read_text().splitlines():
            for word, job_ids in json.loads(text).items():
                for job_id in job_ids:
                    answers[UUID(job_id)] = "unknown" if word == "began" else word
        return [ClientCall(job_id, answer) for job_id, answer in answers.items()]


class EffectLedger:
    """The second database. Handlers open one autocommit connection a process."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    def install(self) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(INSTALL_LEDGER)

    def let_go(self) -> None:
        """Let handlers go on that wait for it (`chaos_jobs.let_go`)."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute("CREATE TABLE let_go ()")

    def read(self) -> list[Effect]:
        with psycopg.connect(self.dsn, row_factory=dict_row) as connection:
            rows = connection.execute(
                "SELECT at, job_id, attempt, pid, kind, key, engine FROM effects ORDER BY seq"
            ).fetchall()
        return [Effect(**row) for row in rows]


def install_event_log(dsn: str) -> None:
    """Put the witness trigger on `jobs`; before any job is enqueued."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(INSTALL_EVENT_LOG)


def read_history(
    dsn: str,
    *,
    log: ClientLog | None,
    ledger: EffectLedger | None,
    tenants: Sequence[UUID] | None = None,
    **facts: Any,
) -> History:
    """Collect what the three witnesses say, and the tables as they stand; of these tenants, or of all."""
    only = {"tenants": None if tenants is None else list(tenants)}
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        now = connection.execute("SELECT clock_timestamp() AS now").fetchone()
        moves = connection.execute(
            "SELECT at, tenant, job_id, source, target, attempt, epoch, runner FROM witness.job_events "
            "WHERE %(tenants)s::uuid[] IS NULL OR tenant = ANY (%(tenants)s) ORDER BY seq",
            only,
        ).fetchall()
        jobs = connection.execute(
            "SELECT tenant, job_id, status::text, attempt, rescues, updated_at, schedule_id, fire_time, "
            "parent_job_id, epoch "
            "FROM jobs WHERE %(tenants)s::uuid[] IS NULL OR tenant = ANY (%(tenants)s)",
            only,
        ).fetchall()
        attempts = connection.execute(
            "SELECT job_id, status, retry_count FROM job_details WHERE step_name LIKE 'attempt %%' "
            "AND (%(tenants)s::uuid[] IS NULL OR tenant = ANY (%(tenants)s))",
            only,
        ).fetchall()
        left_over = connection.execute(LEFT_OVER, only).fetchall()
    assert now is not None
    return History(
        now=now["now"],
        moves=[Move(**row) for row in moves],
        jobs=[JobRow(**row) for row in jobs],
        attempts=[AttemptRow(**row) for row in attempts],
        left_over=[LeftOver(**row) for row in left_over],
        **{"calls": log.read() if log else (), "effects": ledger.read() if ledger else (), **facts},
    )
