"""A deep backlog: how fast one worker drains a queue in which so many jobs wait, beside a shallow one.

Compared are the first jobs of both, each begun on tables that are vacuumed, analysed and on disk. To drain a deep queue
to its end costs more a job, however it is done: checkpoints and autovacuum come round meanwhile. The tenths show that.

`PYTHONPATH=tests python -m soak.drain --waiting 500000`
"""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

import psycopg

from soak.bench import Line, WorkerProcess, application, enqueue, environment_of, server, until_done, weigh

SHALLOW = 20_000


async def drain(waiting: int) -> dict[str, Any]:
    """Drain a fresh database with `waiting` jobs in it; return the pace: overall, at first, and by tenths."""
    with server() as dsn:
        async with application(dsn) as app:
            await enqueue(app, waiting)
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("vacuum analyze")
            connection.execute("checkpoint")
        full = weigh(dsn)
        with WorkerProcess(environment_of(dsn)) as worker:
            await until_done(worker, waiting)
        lines = [line for line in worker.lines if line.fetches or line.done]
        return {
            "waiting": waiting,
            "jobs_per_second": _pace(lines, 0, waiting),
            "first": _pace(lines, 0, SHALLOW),
            "by_tenth": [_pace(lines, waiting * n // 10, waiting * (n + 1) // 10) for n in range(10)],
            "full": full,
            "drained": weigh(dsn),
        }


def _pace(lines: list[Line], begin: int, end: int) -> float | None:
    """Return the jobs a second between two counts, as near as the lines tell: they come ten times a second."""
    before = [line for line in lines if line.done <= begin] or lines[:1]
    after = [line for line in lines if line.done >= end]
    if not after or after[0].at <= before[-1].at:
        return None
    return round((after[0].done - before[-1].done) / (after[0].at - before[-1].at))


def compare(waiting: int) -> dict[str, Any]:
    """Drain a shallow queue and a deep one, each in a database of its own; blocks."""
    runs = [asyncio.run(drain(count)) for count in (SHALLOW, waiting)]
    few, many = (run["first"] for run in runs)
    return {"runs": runs, "ratio": round(many / few, 3) if few and many else None}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waiting", type=int, default=500_000)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    found = json.dumps(compare(chosen.waiting), indent=1)
    if chosen.out:
        chosen.out.write_text(found)
    print(found)
