"""The program of a handler process: takes one job after another from its worker, and dies with it."""

from __future__ import annotations

import asyncio
import ctypes
import importlib
import os
import signal
import socket
import sys
from typing import Any, cast

from jobcore.errors import PayloadLimitError, StaleClaimError
from jobcore.execution.outcomes import Cancel, HandlerInterrupt, JobOutcome, Retry, Snooze
from jobcore.execution.process_context import ProcessContext
from jobcore.execution.process_link import Message
from jobcore.execution.process_worker import Worker
from jobcore.execution.results import as_json_value
from jobcore.handlers.definition import HandlerDefinition, define
from jobcore.handlers.payload import parse_payload
from jobcore.handlers.registry import AnyHandler
from jobcore.limits import MAX_RESULT_BYTES, PayloadLimits, encode_payload, json_safe
from jobcore.policies.retry import RetryPolicy
from jobcore.redaction import describe_exception

_PR_SET_PDEATHSIG = 1


def main(descriptor: int, parent: int) -> None:
    """Serve the worker `parent` at the socket `descriptor`, until it says `exit` or is gone."""
    _die_with(parent)
    os.set_inheritable(descriptor, False)
    worker = Worker(socket.socket(fileno=descriptor))
    interrupter = _Interrupter()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker decides what an interrupted terminal means
    signal.signal(signal.SIGTERM, interrupter.strike)
    worker.start()
    try:
        while (job := worker.next_job()) is not None:
            worker.send(_perform(job, worker, interrupter))
            sys.stdout.flush()
            sys.stderr.flush()
    except HandlerInterrupt:  # struck after the handler had ended
        os._exit(128 + signal.SIGTERM)


class _Interrupter:
    """What SIGTERM does: interrupts the handler, or ends the idle process."""

    def __init__(self) -> None:
        self.busy = False
        self.task: asyncio.Task[Any] | None = None

    def strike(self, _signal: int, _frame: Any) -> None:
        if not self.busy:
            os._exit(128 + signal.SIGTERM)
        if self.task is None:
            raise HandlerInterrupt("The job was told to stop.")
        self.task.get_loop().call_soon_threadsafe(self.task.cancel)


def _perform(job: Message, worker: Worker, interrupter: _Interrupter) -> Message:
    """Run one job and return the message that tells how it ended."""
    context = None
    interrupter.busy = True
    try:
        worker.log_like(job)
        definition = _find_handler(job)
        context = ProcessContext(job, worker, parse_payload(job["job_name"], definition.payload_type, job["payload"]))
        value = definition.function(context, context.data)
        if asyncio.iscoroutine(value):
            value = asyncio.run(_supervised(value, interrupter))
        ending = _done(value) if not isinstance(value, JobOutcome) else _raised(value, job)
    except BaseException as error:  # noqa: BLE001 - the border between handlers and the worker
        ending = _raised(error, job)
    finally:
        interrupter.busy = False
    return {**ending, "seen": context is not None and context.saw_abort}


async def _supervised(value: Any, interrupter: _Interrupter) -> Any:
    interrupter.task = asyncio.current_task()
    try:
        return await value
    finally:
        interrupter.task = None


def _find_handler(job: Message) -> AnyHandler:
    """Import the handler by its definition's own location, which the worker took from its registry."""
    found: Any = importlib.import_module(job["module"])
    for name in job["qualname"].split("."):
        found = getattr(found, name)
    if isinstance(found, HandlerDefinition):
        return cast("AnyHandler", found)
    return define(job["job_name"], found, execution="process")


def _done(value: Any) -> Message:
    plain = as_json_value(value)
    problem = None
    try:
        encode_payload(plain, PayloadLimits(max_bytes=MAX_RESULT_BYTES))
    except PayloadLimitError as error:
        problem = str(error).replace("The payload", "The result")
    return {"op": "done", "value": json_safe(plain), "problem": problem}


def _raised(error: BaseException, job: Message) -> Message:
    policy = RetryPolicy(non_retryable_errors=tuple(job["final_errors"]))
    message: Message = {"op": "raised", "outcome": "error", "text": "", "retryable": policy.is_retryable(error)}
    match error:
        case Retry():
            message |= {"outcome": "retry", "text": str(error)}
            message["after_seconds"] = None if error.after is None else error.after.total_seconds()
        case Snooze():
            message |= {"outcome": "snooze", "after_seconds": error.for_.total_seconds()}
        case Cancel():
            message |= {"outcome": "cancel", "text": error.reason}
        case StaleClaimError():
            message |= {"outcome": "stale"}
        case HandlerInterrupt() | asyncio.CancelledError():
            message |= {"outcome": "interrupted"}
        case _:
            pass
    return message | {"described": describe_exception(error)}


def _die_with(parent: int) -> None:
    """Have the kernel kill this process when the worker dies; elsewhere than on Linux the link's end does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
