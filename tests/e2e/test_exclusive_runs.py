"""Singleton and superseding jobs while workers are killed and frozen: one at a time, none lost, the older one told."""

from __future__ import annotations

import asyncio
import signal
import statistics
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import dict_row

from jobcore.app import JobApp
from jobcore.ids import SYSTEM_TENANT, uuid7
from jobcore.states import TERMINAL_STATES, JobState
from support.chaos_jobs import Marked, single, supersede
from support.checker import assert_clean
from support.fleet import Fleet, eventually
from support.history import ClientLog, Effect, EffectLedger, read_history

PROMPT = 5.0
"""Seconds within which a superseded handler is told, on a machine that is busy with other things."""
LEASE_AND_RESCUE = 2 + 0.5 + 1


async def ended(app: JobApp, count: int) -> bool:
    by_state = (await app.metrics()).by_state
    return sum(by_state.get(state, 0) for state in TERMINAL_STATES) >= count


async def take_turns(
    app: JobApp,
    fleet: Fleet,
    dsn: str,
    ledger: EffectLedger,
    log: ClientLog,
    *,
    jobs: int,
    workers: int,
    kills: int,
) -> None:
    """Enqueue singletons of three keys, and strike whoever began last, again and again, while they take their turns."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE turns (job_id uuid, attempt int, pid int, key text, at timestamptz)")
        connection.execute("GRANT ALL ON turns TO public")
    await fleet.start(workers, app)
    for number in range(jobs):
        job_id = uuid7()
        with log.call(job_id):
            await app.enqueue(single, Marked(number=number, key=f"k{number % 3}"), tenant=SYSTEM_TENANT, job_id=job_id)
    for number in range(kills):
        reached = jobs * (number + 1) // (kills + 2)
        await eventually(lambda reached=reached: ended(app, reached), f"{reached} jobs end", patience=240)
        pid = (await asyncio.to_thread(ledger.read))[-1].pid
        victim = next(process for process in fleet.processes if process.pid == pid)
        if victim.poll() is not None:
            continue
        if number % 3 == 2:
            # Frozen, as a virtual machine that is moved: it wakes without its leases, and believes that it has them.
            before = await rescues(dsn)
            victim.send_signal(signal.SIGSTOP)
            with suppress(AssertionError):  # it may have had no job
                await eventually(
                    lambda before=before: rescued_beyond(dsn, before), "it loses a job", patience=LEASE_AND_RESCUE
                )
            victim.send_signal(signal.SIGCONT)
        else:
            fleet.kill(victim)
            fleet.start_worker()
    await eventually(lambda: ended(app, jobs), "all jobs end", patience=240)


async def rescues(dsn: str) -> int:
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        row = await (await connection.execute("select coalesce(sum(rescues), 0) from jobs")).fetchone()
    assert row is not None
    return row[0]


async def rescued_beyond(dsn: str, before: int) -> bool:
    return await rescues(dsn) > before


def assert_one_at_a_time(dsn: str, ledger: EffectLedger, log: ClientLog, jobs: int) -> None:
    """Of the runs that the database accepted, no two overlap; each ends where its row and its completion do."""
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        rows = connection.execute("select job_id, attempt, pid, key, at from turns").fetchall()
    effects = [*ledger.read(), *(Effect(kind="end", **row) for row in rows)]
    history = read_history(dsn, log=log, ledger=None, effects=effects, exclusive=True)
    assert_clean(history)
    assert len(history.calls) == jobs
    completed = {job.job_id: job.attempt for job in history.jobs if job.status == JobState.COMPLETED}
    assert sorted((row["job_id"], row["attempt"]) for row in rows) == sorted(completed.items())
    assert len(completed) == jobs
    assert any(job.rescues for job in history.jobs), "no kill struck a job: nothing was tested"


async def test_singletons_never_overlap_though_workers_die(
    app: JobApp, fleet: Fleet, job_dsn: str, ledger: EffectLedger, tmp_path: Path
) -> None:
    log = ClientLog(tmp_path / "client.log")
    await take_turns(app, fleet, job_dsn, ledger, log, jobs=60, workers=3, kills=3)
    assert_one_at_a_time(job_dsn, ledger, log, 60)


@pytest.mark.soak
async def test_singletons_never_overlap_under_many_kills(
    app: JobApp, fleet: Fleet, job_dsn: str, ledger: EffectLedger, tmp_path: Path
) -> None:
    log = ClientLog(tmp_path / "client.log")
    await take_turns(app, fleet, job_dsn, ledger, log, jobs=1_500, workers=8, kills=40)
    assert_one_at_a_time(job_dsn, ledger, log, 1_500)


async def test_a_superseded_run_is_told_and_only_the_last_one_is_left(
    app: JobApp,
    fleet: Fleet,
    job_dsn: str,
    ledger: EffectLedger,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    await supersede_one_another(app, fleet, job_dsn, ledger, rounds=10, workers=3, kills=(4,), tell=record_property)


@pytest.mark.soak
async def test_superseded_runs_are_told_under_many_kills(
    app: JobApp, fleet: Fleet, job_dsn: str, ledger: EffectLedger, record_property: Callable[[str, object], None]
) -> None:
    kills = tuple(range(10, 200, 10))
    await supersede_one_another(app, fleet, job_dsn, ledger, rounds=200, workers=8, kills=kills, tell=record_property)


async def supersede_one_another(
    app: JobApp,
    fleet: Fleet,
    dsn: str,
    ledger: EffectLedger,
    *,
    rounds: int,
    workers: int,
    kills: tuple[int, ...],
    tell: Callable[[str, object], None],
) -> None:
    await fleet.start(workers, app)
    struck: set[UUID] = set()
    handles = []
    for number in range(rounds):
        handles.append(await app.enqueue(supersede, Marked(number=number, key="k"), tenant=SYSTEM_TENANT))
        job_id = handles[-1].job_id
        await eventually(lambda job_id=job_id: noted(ledger, "start", job_id), f"job {number} begins")
        if number in kills:
            pid = next(effect.pid for effect in ledger.read() if effect.job_id == job_id)
            fleet.kill(next(process for process in fleet.processes if process.pid == pid))
            fleet.start_worker()
            struck.add(job_id)
    await handles[-1].cancel()
    await eventually(lambda: ended(app, rounds), "all end")

    history = read_history(dsn, log=None, ledger=ledger)
    assert_clean(history)
    assert {job.status for job in history.jobs} == {JobState.CANCELLED}
    asked = when_asked(dsn)
    told = {effect.job_id: effect.at for effect in history.effects if effect.kind == "told"}
    assert set(told) >= {handle.job_id for handle in handles} - struck
    waits = [(at - asked[job_id]).total_seconds() for job_id, at in told.items()]
    tell("told_ms", f"median {statistics.median(waits) * 1000:.0f}, most {max(waits) * 1000:.0f}")
    assert max(waits) < PROMPT


def when_asked(dsn: str) -> dict[UUID, datetime]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("select job_id, (cancel_requested ->> 'at')::timestamptz from jobs").fetchall()
    return dict(rows)


async def noted(ledger: EffectLedger, kind: str, job_id: UUID) -> bool:
    effects = await asyncio.to_thread(ledger.read)
    return any(effect.kind == kind and effect.job_id == job_id for effect in effects)
