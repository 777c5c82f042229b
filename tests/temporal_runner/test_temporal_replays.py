"""Recorded histories replay against today's workflow: a workflow that began before a deployment goes on after it."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from jobcore_temporal import workflow as module
from jobcore_temporal.workflow import GenericJobWorkflow
from temporal_runner.record_histories import HISTORIES, SCENARIOS

NAMES = [scenario.__name__ for scenario in SCENARIOS]


def history(name: str) -> WorkflowHistory:
    text = (HISTORIES / f"{name}.json").read_text()
    return WorkflowHistory.from_json(name, json.loads(text))


@pytest.mark.parametrize("name", NAMES)
async def test_a_recorded_history_replays(name: str) -> None:
    await Replayer(workflows=[GenericJobWorkflow]).replay_workflow(history(name))


def test_no_history_lies_around() -> None:
    assert {path.stem for path in HISTORIES.iterdir()} == set(NAMES)


def changed(old: str, new: str) -> Any:
    """Today's workflow with one piece of its code exchanged."""
    source = inspect.getsource(module)
    assert source.count(old) == 1
    space: dict[str, Any] = {"__name__": "changed_workflow"}
    exec(compile(source.replace(old, new), "changed_workflow", "exec"), space)
    return space["GenericJobWorkflow"]


async def test_a_workflow_with_its_commands_swapped_does_not_replay() -> None:
    runs = "            receipt = await self._run_handler(job)\n"
    records_first = '            await self._record(job, Receipt("completed"))\n' + runs
    swapped = changed(runs, records_first)
    with pytest.raises(NondeterminismError):
        await Replayer(workflows=[swapped]).replay_workflow(history("unrecorded_end"))


async def test_a_workflow_that_records_what_is_recorded_does_not_replay() -> None:
    always = changed("if not receipt.recorded:", "if receipt:")
    with pytest.raises(NondeterminismError):
        await Replayer(workflows=[always]).replay_workflow(history("happy_path"))
