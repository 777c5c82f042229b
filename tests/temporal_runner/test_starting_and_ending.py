"""A worker ends while it begins workflows: nothing hangs."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from temporal_runner.harness import Stage

PATIENCE = 240.0
"""Seconds; a process that hangs answers no time-out of its own."""


@pytest.mark.parametrize("rounds", [40, pytest.param(400, marks=pytest.mark.soak)])
async def test_workers_that_end_while_workflows_begin_do_not_hang(stage: Stage, rounds: int) -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "temporal_runner.starting_and_ending", stage.dsn, stage.address, str(rounds),
        cwd=Path(__file__).parents[1], stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(PATIENCE):
            told, _ = await program.communicate()
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    assert told.decode().splitlines()[-1:] == ["all ended"]
