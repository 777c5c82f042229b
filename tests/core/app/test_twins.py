"""Every public call for the event loop has its twin for code that blocks, with the same parameters."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

import pytest

from jobcore.app import (
    AppJobHandle,
    AppWorker,
    BlockingJobApp,
    BlockingJobHandle,
    BlockingSchedules,
    BlockingWorker,
    JobApp,
    Schedules,
)
from jobcore.execution.blocking import ThreadBlockingContext
from jobcore.execution.process_context import ProcessBlockingContext
from jobcore.ports import JobContext
from jobcore.ports.context import BlockingContext

NAMES = {
    "AppJobHandle": "BlockingJobHandle",
    "AppWorker": "BlockingWorker",
    "AsyncGenerator": "Generator",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
}
"""What the twins call otherwise."""
PAIRS: list[tuple[type, type, Mapping[str, str]]] = [
    (JobApp, BlockingJobApp, {"runner": "an engine is asynchronous; what code that blocks needs of it, the app does"}),
    (Schedules, BlockingSchedules, {}),
    (AppJobHandle, BlockingJobHandle, {}),
    (
        AppWorker,
        BlockingWorker,
        dict.fromkeys(("caveats", "changeable", "reload"), "the app asks it when settings are read anew"),
    ),
]
"""The asynchronous class, its twin, and what has none, with the reason."""
CONTEXT_ALONE = {
    "db": "its connections are asynchronous",
    "blocking": "leads here",
}


def public(kind: type) -> dict[str, Any]:
    """Return what users call, by name: methods, properties, and how the object is made and entered."""
    known = ("__init__", "__aenter__", "__aexit__", "__enter__", "__exit__")
    return {name: getattr(kind, name) for name in dir(kind) if (not name.startswith("_") or name in known)}


def shape(value: Any) -> list[tuple[Any, ...]]:
    """Return the parameters of a call and what it returns, in the words of the twin."""
    if isinstance(value, property):
        value = value.fget
    signature = inspect.signature(value)
    parameters = [(one.name, one.kind, one.default, str(one.annotation)) for one in signature.parameters.values()]
    returned = re.sub(r"\w+", lambda word: NAMES.get(word[0], word[0]), str(signature.return_annotation))
    return [*parameters, ("returns", returned)]


CASES = [
    pytest.param(asynchronous, blocking, name, id=f"{asynchronous.__name__}.{name}")
    for asynchronous, blocking, alone in PAIRS
    for name in public(asynchronous)
    if name not in alone
]


@pytest.mark.parametrize(("asynchronous", "blocking", "name"), CASES)
def test_a_public_call_has_a_twin_that_is_called_alike(asynchronous: type, blocking: type, name: str) -> None:
    twin = getattr(blocking, NAMES.get(name, name), None)
    assert twin is not None, f"{blocking.__name__} lacks {name}; write it there, with the same parameters"
    original = getattr(asynchronous, name)
    assert isinstance(twin, property) == isinstance(original, property)
    assert not inspect.iscoroutinefunction(twin)
    if not (name == "__init__" and asynchronous is not JobApp):  # only an app is made by its users
        assert shape(twin) == shape(original)


@pytest.mark.parametrize(("asynchronous", "blocking", "alone"), PAIRS, ids=lambda value: getattr(value, "__name__", ""))
def test_what_has_no_twin_is_there_and_really_has_none(
    asynchronous: type, blocking: type, alone: Mapping[str, str]
) -> None:
    assert set(alone) <= set(public(asynchronous)) - set(public(blocking))


@pytest.mark.parametrize("blocking", [BlockingContext, ThreadBlockingContext, ProcessBlockingContext])
def test_a_handler_that_blocks_can_call_what_others_await(blocking: type) -> None:
    for name in set(public(JobContext)) - set(CONTEXT_ALONE) - {"__init__"}:
        original, twin = inspect.signature(getattr(JobContext, name)), inspect.signature(getattr(blocking, name))
        assert [*twin.parameters] == [*original.parameters], name
        assert [one.default for one in twin.parameters.values()] == [
            one.default for one in original.parameters.values()
        ], name
    assert set(CONTEXT_ALONE) <= set(public(JobContext)) - set(public(blocking))
