"""The workflows and activities that handlers bring of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from jobcore.errors import InvalidHandlerError
from jobcore_temporal.identity import RUNNER_TYPE
from jobcore_temporal.options import read_options


@dataclass(frozen=True, slots=True)
class OwnCode:
    """What the worker registers beside its own."""

    workflows: list[type[Any]]
    activities: list[Callable[..., Any]]


def own_code(engine_options: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> OwnCode:
    """Return the workflows and activities that these handlers name, each once.

    Raises:
        InvalidHandlerError: if one cannot be imported, or is neither.
        InputError: if a handler tells Temporal what cannot be meant.
    """
    found = OwnCode([], [])
    for handler, told in engine_options.items():
        for target in read_options(handler, told.get(RUNNER_TYPE, {})).code:
            _sort(_load(handler, target), f"Job {handler!r}: {target}", found)
    return found


def _load(handler: str, target: str) -> Any:
    module, _, name = target.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InvalidHandlerError(
            f"Job {handler!r}: {target!r}, code of its workflow, cannot be had: {error}"
        ) from error


def _sort(thing: Any, what: str, found: OwnCode) -> None:
    if hasattr(thing, "__temporal_workflow_definition"):
        into: list[Any] = found.workflows
    elif hasattr(thing, "__temporal_activity_definition"):
        into = found.activities
    else:
        raise InvalidHandlerError(f"{what} is neither a class with @workflow.defn nor a function with @activity.defn.")
    if thing not in into:
        into.append(thing)
