"""Deep and long: a million waiting jobs, a transaction that does not end, the deletion of a long history, and ten
thousand schedules that fall due at once.

By hand, `make soak`; each writes what it measured to the folder of `JOBCORE_SOAK_REPORTS`, by default `.soak`.
Shorter runs: `JOBCORE_SOAK_WAITING=50000 JOBCORE_SOAK_MINUTES=1 make soak`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from soak.drain import compare
from soak.pruning import pruning
from soak.schedules import firing
from soak.steady import growth, steady

WAITING = [int(count) for count in os.environ.get("JOBCORE_SOAK_WAITING", "500000 1000000").split()]
MINUTES = float(os.environ.get("JOBCORE_SOAK_MINUTES", "15"))
RATE = float(os.environ.get("JOBCORE_SOAK_RATE", "200"))
PRUNED = int(os.environ.get("JOBCORE_SOAK_PRUNED", "300000"))
SCHEDULES = int(os.environ.get("JOBCORE_SOAK_SCHEDULES", "100000"))
REPORTS = Path(os.environ.get("JOBCORE_SOAK_REPORTS", ".soak"))

pytestmark = pytest.mark.soak


@pytest.mark.parametrize("waiting", WAITING)
def test_a_deep_queue_drains_nearly_as_fast_as_a_shallow_one(waiting: int) -> None:
    report = _written(f"drain-{waiting}", compare(waiting))
    assert report["ratio"] >= 0.9


async def test_a_transaction_that_stays_open_does_not_slow_the_fetch() -> None:
    report = _written("steady", await steady(MINUTES, RATE))
    assert growth(report) <= 1.5


async def test_nobody_waits_50_ms_for_the_deletion_of_old_jobs() -> None:
    report = _written("pruning", await pruning(PRUNED))
    assert report["lock_waits"] == []


@pytest.mark.parametrize("worked", [False, True], ids=["elsewhere", "worked"])
async def test_a_tenth_of_many_schedules_falls_due_at_once_and_each_fires_once(worked: bool) -> None:
    name = "schedules-worked" if worked else "schedules"
    report = _written(name, await firing(SCHEDULES, SCHEDULES // 10, worked=worked))
    assert report["jobs"] == SCHEDULES // 10


def _written(name: str, report: dict[str, Any]) -> dict[str, Any]:
    REPORTS.mkdir(exist_ok=True)
    (REPORTS / f"{name}.json").write_text(json.dumps(report, indent=1))
    return report
