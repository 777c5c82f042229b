"""Where jobs wait in Temporal. Light: without the SDK."""

from __future__ import annotations

from jobcore.limits import InvalidNameError
from jobcore_temporal.settings import TemporalRunnerSettings

RESERVED = "/_sys/"
"""What names of Temporal's own begin with."""
LONGEST = 1000
"""Bytes of a name."""


def task_queue_of(name: str, queue: str, settings: TemporalRunnerSettings) -> str:
    """Return where a job waits in Temporal: a queue of the handler's own wish, else the one for all."""
    return settings.task_queue if queue == name else queue


def check_task_queue(name: str, queue: str, settings: TemporalRunnerSettings) -> str:
    """Return where a job waits in Temporal. Raises `InvalidNameError` if that is no name for a task queue there."""
    task_queue = task_queue_of(name, queue, settings)
    if not task_queue.startswith(RESERVED) and len(task_queue.encode()) <= LONGEST:
        return task_queue
    problem = (
        f"begins with {RESERVED!r}, which Temporal keeps for itself"
        if task_queue.startswith(RESERVED)
        else f"has {len(task_queue.encode()):,} bytes; Temporal takes {LONGEST:,}"
    )
    whose = "The setting temporal.task_queue" if queue == name else "The handler's queue"
    remedy = "Choose another name" + ("." if queue == name else ", or another runner for this handler.")
    raise InvalidNameError(f"Job {name!r} cannot wait in Temporal. {whose} {task_queue[:40]!r} {problem}. {remedy}")
