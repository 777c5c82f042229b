"""A steady load beside a transaction that stays open: what becomes of the fetch and of the tables.

`PYTHONPATH=tests python -m soak.steady --minutes 15 --rate 200`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg

from jobcore import JobApp
from jobcore.ids import SYSTEM_TENANT
from soak.bench import Line, WorkerProcess, application, environment_of, percentile, server, until_done, weigh
from soak.working import Nothing, nothing

TICK = 0.05
SAMPLES = 30


async def steady(minutes: float, rate: float, *, held: bool = True) -> dict[str, Any]:
    """Enqueue at `rate` jobs a second for so long, one worker at work; return what was seen, minute by minute.

    Args:
        held: whether a transaction with an old snapshot stays open all the while, so that no dead row can be removed.
    """
    with server() as dsn:
        async with application(dsn) as app, await psycopg.AsyncConnection.connect(dsn) as holder:
            if held:
                await holder.execute("set transaction isolation level repeatable read")
                await holder.execute("select count(*) from jobs")
            with WorkerProcess(environment_of(dsn)) as worker:
                samples, made = await _load(app, worker, dsn, minutes * 60, rate)
                await until_done(worker, made)
    return {
        "minutes": minutes,
        "rate": rate,
        "held": held,
        "jobs": made,
        "fetch": _by_part(worker.lines, minutes * 60),
        "samples": samples,
    }


async def _load(
    app: JobApp, worker: WorkerProcess, dsn: str, seconds: float, rate: float
) -> tuple[list[dict[str, Any]], int]:
    """Enqueue what is owed at each tick, and weigh the tables thirty times."""
    begin = time.perf_counter()
    made, samples = 0, [_sample(0, worker, dsn)]
    while (now := time.perf_counter() - begin) < seconds:
        owed = int(now * rate) - made
        if owed:
            batch = [Nothing(number=made + n) for n in range(owed)]
            await app.enqueue_many(nothing, batch, tenant=SYSTEM_TENANT)
            made += owed
        if now >= len(samples) * seconds / SAMPLES:
            worker.assert_alive()
            samples.append(await asyncio.to_thread(_sample, now, worker, dsn))
        await asyncio.sleep(TICK)
    return [*samples, _sample(time.perf_counter() - begin, worker, dsn)], made


def _sample(at: float, worker: WorkerProcess, dsn: str) -> dict[str, Any]:
    return {"at": round(at, 1), "done": worker.done, "tables": weigh(dsn)}


def _by_part(lines: Sequence[Line], seconds: float) -> list[dict[str, Any]]:
    """Return the milliseconds of the fetches of each minute; of a short run, of each fifteenth of it."""
    part = min(60.0, seconds / 15)
    working = [line for line in lines if line.done]
    begin = working[0].at if working else 0.0
    parts: dict[int, list[float]] = {}
    for line in working:
        parts.setdefault(int((line.at - begin) / part), []).extend(line.fetches)
    return [
        {"part": number, "fetches": len(took), "p50": _ms(took, 50), "p99": _ms(took, 99)}
        for number, took in sorted(parts.items())
        if took
    ]


def _ms(took: Sequence[float], percent: float) -> float | None:
    found = percentile(took, percent)
    return None if found is None else round(1000 * found, 2)


def growth(report: dict[str, Any]) -> float:
    """Return the fetch p99 of the last whole minute over that of the first."""
    parts = report["fetch"][:15] if report["minutes"] < 15 else report["fetch"][: int(report["minutes"])]
    return parts[-1]["p99"] / parts[0]["p99"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--no-held", action="store_true", help="Without the open transaction, to compare.")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    found = asyncio.run(steady(chosen.minutes, chosen.rate, held=not chosen.no_held))
    text = json.dumps({**found, "growth": growth(found)}, indent=1)
    if chosen.out:
        chosen.out.write_text(text)
    print(text)
