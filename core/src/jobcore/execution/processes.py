"""Running a handler in a process of its own, which can be killed."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

from jobcore.errors import InvalidHandlerError, JobcoreError, StaleClaimError
from jobcore.execution import logs
from jobcore.execution.abort import Abort
from jobcore.execution.context import ExecutionContext
from jobcore.execution.outcomes import Cancel, HandlerInterrupt, JobOutcome, Retry, Snooze
from jobcore.execution.process_link import Message
from jobcore.execution.process_pool import HandlerProcess, ProcessPool, describe_exit
from jobcore.handlers.definition import HandlerDefinition
from jobcore.handlers.registry import AnyHandler
from jobcore.handlers.versions import upcast_payload

_KILL_AFTER = 1.0
"""Seconds from SIGTERM to SIGKILL."""
_EXIT_GRACE = 1.0
"""Seconds for a process that closed its link to end by itself."""


class ProcessHandlerError(JobcoreError):
    """A handler raised an error in its process; `described` is the error as the process described it."""

    def __init__(self, described: Mapping[str, Any], *, retryable: bool) -> None:
        self.described = dict(described)
        self.retryable = retryable
        super().__init__(f"{described.get('type')}: {described.get('message')}")


class HandlerProcessDiedError(JobcoreError):
    """A handler's process died before the handler had ended; the message says how."""


def check_process_handler(definition: AnyHandler) -> None:
    """Check that another process can import the handler by the place where it is defined.

    Raises:
        InvalidHandlerError: if it cannot, with the reason.
    """
    function = definition.function
    problem = None
    if os.name != "posix":
        problem = "execution='process' needs a POSIX system"
    elif function.__module__ == "__main__":
        problem = "it is defined in the program's main file, which another process cannot import; move it to a module"
    elif "<" in function.__qualname__:
        problem = "it is defined inside a function; move it to the top of its module"
    elif _function_at(function.__module__, function.__qualname__) is not function:
        problem = "that name in its module is something else"
    if problem is not None:
        raise InvalidHandlerError(f"Job {definition.name!r}: {definition.location} cannot run in a process: {problem}.")


class ProcessRun:
    """One call of a handler in a process (a `Run`).

    It is interrupted by SIGTERM, which raises `HandlerInterrupt` in a `def` handler and cancels an `async def` one, and
    by SIGKILL one second later.
    """

    __slots__ = ("_abort", "_context", "_definition", "_kill_timer", "_pool", "_process", "_stale")

    def __init__(self, definition: AnyHandler, context: ExecutionContext, abort: Abort, pool: ProcessPool) -> None:
        self._definition = definition
        self._context = context
        self._abort = abort
        self._pool = pool
        self._process: HandlerProcess | None = None
        self._kill_timer: asyncio.TimerHandle | None = None
        self._stale: StaleClaimError | None = None

    async def call(self) -> Any:
        check_process_handler(self._definition)
        process = self._process = await self._pool.take()
        self._abort.listen(hear := _AbortSender(process, self._abort))
        reusable = False
        try:
            value = await self._converse(process)
            reusable = True
        except (JobOutcome, ProcessHandlerError, StaleClaimError):
            reusable = True
            raise
        finally:
            self._abort.unlisten(hear)
            await self._part_with(process, reusable)
        return value

    def interrupt(self, task: asyncio.Task[Any]) -> None:
        if self._process is None:
            task.cancel()
            return
        self._process.terminate()
        self._kill_timer = asyncio.get_running_loop().call_later(_KILL_AFTER, self._kill, self._process)

    def abandon(self, task: asyncio.Task[Any]) -> None:
        if self._process is not None:
            self._process.kill()
        task.cancel()

    async def _part_with(self, process: HandlerProcess, reusable: bool) -> None:
        self._process = None
        interrupted = self._kill_timer is not None
        if self._kill_timer is not None:
            self._kill_timer.cancel()
        if reusable and not interrupted:
            self._pool.give_back(process)
        else:
            await self._pool.discard(process)

    # -- the conversation ----------------------------------------------------------------------------------------------

    async def _converse(self, process: HandlerProcess) -> Any:
        process.send(self._job())
        while (message := await process.receive()) is not None:
            match message["op"]:
                case "call":
                    process.send(await self._answer(message))
                case "log":
                    logs.relay(message)
                case "done":
                    return self._done(message)
                case _:
                    raise self._raised(message)
        status = await process.reap(_EXIT_GRACE)
        raise HandlerProcessDiedError(f"The process of job {self._context.job_name!r} {describe_exit(status)}.")

    def _job(self) -> Message:
        context, function = self._context, self._definition.function
        around = context.around
        claim = context.claim
        stored = around.codec.decode(claim.payload, tenant=claim.tenant, job_id=claim.job_id)
        payload, _ = upcast_payload(self._definition, stored)
        return {
            "op": "run",
            "module": function.__module__,
            "qualname": function.__qualname__,
            "job_name": claim.name,
            "job_id": str(claim.job_id),
            "tenant": str(claim.tenant),
            "attempt": claim.attempt,
            "max_attempts": claim.max_attempts,
            "payload": payload.decode(),
            "final_errors": [_error_name(error) for error in self._definition.retry.non_retryable_errors],
            "logger": around.logger.name,
            "log_level": logging.getLogger().getEffectiveLevel(),
        }

    async def _answer(self, message: Message) -> Message:
        try:
            value = await self._serve(message["method"], message["arguments"])
        except Exception as error:  # noqa: BLE001 - raised again in the process, where the handler may catch it
            self._stale = error if isinstance(error, StaleClaimError) else self._stale
            problem = {"type": type(error).__name__, "message": str(error)}
            return {"op": "answer", "call": message["call"], "error": problem}
        return {"op": "answer", "call": message["call"], "value": value}

    async def _serve(self, method: str, arguments: dict[str, Any]) -> Any:
        context = self._context
        match method:
            case "progress" | "heartbeat" | "once":
                return await getattr(context, method)(**arguments)
            case "detail":
                return str(await context.detail(**arguments))
            case "find_step":
                stored = await context.steps.find(**arguments)
                return None if stored is None else stored.decode()
            case "save_step":
                return (await context.steps.save_encoded(arguments["key"], arguments["encoded"].encode())).decode()
            case _:
                return await self._enqueue(**arguments)

    async def _enqueue(self, job: str, data: Any, delay_seconds: float | None, priority: int) -> list[Any]:
        delay = None if delay_seconds is None else timedelta(seconds=delay_seconds)
        enqueued = await self._context.enqueue(job, data, delay=delay, priority=priority)
        return [str(enqueued.job_id), enqueued.deduplicated, enqueued.external_id]

    def _done(self, message: Message) -> Any:
        self._context.saw_abort |= message["seen"]
        if message["problem"] is not None:
            logs.result_replaced(self._context.around.logger, self._context.claim, message["problem"])
        return message["value"]

    def _raised(self, message: Message) -> BaseException:
        self._context.saw_abort |= message["seen"]
        after = message.get("after_seconds")
        match message["outcome"]:
            case "retry":
                return Retry(message["text"], after=None if after is None else timedelta(seconds=after))
            case "snooze":
                return Snooze(timedelta(seconds=after or 0))
            case "cancel":
                return Cancel(message["text"])
            case "stale" if self._stale is not None:
                return self._stale
            case "interrupted":
                interrupt = HandlerInterrupt(message["text"])
                interrupt.add_note(str(message["described"].get("traceback", "")))
                return interrupt
            case _:
                return ProcessHandlerError(message["described"], retryable=message["retryable"])

    def _kill(self, process: HandlerProcess) -> None:
        logs.process_killed(
            self._context.around.logger, process.pid, f"{self._context.job_name}:{self._context.job_id}"
        )
        process.kill()


class _AbortSender:
    """Tells a process that its job was aborted, from whichever thread aborts."""

    def __init__(self, process: HandlerProcess, abort: Abort) -> None:
        self._process = process
        self._abort = abort
        self._loop = asyncio.get_running_loop()

    def __call__(self) -> None:
        self._loop.call_soon_threadsafe(self._send)

    def _send(self) -> None:
        self._process.send({"op": "abort", "reason": self._abort.reason, "by": self._abort.aborted_by})


def _function_at(module: str, qualname: str) -> Any:
    found: Any = sys.modules.get(module)
    for name in qualname.split("."):
        found = getattr(found, name, None)
    return cast("AnyHandler", found).function if isinstance(found, HandlerDefinition) else found


def _error_name(error: Any) -> str:
    return error if isinstance(error, str) else f"{error.__module__}.{error.__qualname__}"
