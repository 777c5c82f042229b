"""What `jobcore doctor` asks about the way to the database: is a pooler in between, and do the clocks agree."""

from __future__ import annotations

import time

from jobcore.plugins.registries import CheckResult
from jobcore_postgres.database import Connection, Database
from jobcore_postgres.statements import statement

CLOCK, POOLER = "clock", "pooler"
TOLERATED_SKEW = 2.0
"""Seconds. Every time that decides something is the database's; a clock that differs misleads whoever reads logs."""


async def check_clock(dsn: str) -> CheckResult:
    """Compare this machine's clock with the database's. Raises `StorageUnavailableError`."""
    async with await Database(dsn).connect() as connection:
        before = time.time()
        theirs = await _one(connection, "clock")
        after = time.time()
    skew = theirs - (before + after) / 2
    told = f"this machine's clock and the database's differ by {abs(skew):.3f} s"
    if abs(skew) - (after - before) <= TOLERATED_SKEW:
        return CheckResult(CLOCK, True, told)
    behind = "behind" if skew > 0 else "ahead of"
    return CheckResult(
        CLOCK,
        True,
        f"{told}: this one is {behind} the other",
        "Synchronize the clocks (NTP): jobs run by the database's, and a `run_at` computed here means another instant.",
    )


async def check_pooler(dsn: str) -> CheckResult:
    """See whether the server itself answers. Raises `StorageUnavailableError`."""
    async with await Database(dsn).connect() as connection:
        server = await _one(connection, "backend_pid")
        told = connection.info.backend_pid
    if server == told:
        return CheckResult(POOLER, True, "the server itself answers")
    return CheckResult(
        POOLER,
        True,
        "a pooler is in between, so prepared statements are off",
        "It works, and jobs are found by polling, for a pooler passes no notifications on. Give the server's own "
        "address to `jobcore migrate`, and to workers to listen at; see docs/how-to/run-workers.md.",
    )


async def _one(connection: Connection, name: str) -> float:
    cursor = await connection.execute(statement(name), prepare=False)
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - the statement always has one row
    return row[0]
