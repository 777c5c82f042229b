"""The executor: runs a claim to its settlement (the `ClaimExecutor` port)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from jobcore.errors import HandlerNotFoundError, PayloadError
from jobcore.execution import logs
from jobcore.execution.abort import Abort
from jobcore.execution.context import ExecutionContext, PlanChild, Submit, Surroundings
from jobcore.execution.coroutines import CoroutineRun
from jobcore.execution.middleware import compose
from jobcore.execution.observing import compose_observers
from jobcore.execution.process_pool import ProcessPool
from jobcore.execution.processes import ProcessRun, check_process_handler
from jobcore.execution.services import NoServices
from jobcore.execution.supervision import Bounds, Ending, Run, Supervision
from jobcore.execution.thread_pool import ThreadPool
from jobcore.execution.threads import ThreadRun
from jobcore.execution.verdict import decide, failure
from jobcore.handlers.registry import AnyHandler, JobHandlerRegistry
from jobcore.handlers.versions import read_payload
from jobcore.models import Claim, Execution, Outcome, Settlement
from jobcore.policies.retry import DEFAULT_RETRY, RetryPolicy
from jobcore.ports.clock import Clock, SystemClock
from jobcore.ports.codec import PayloadCodec, PlainCodec
from jobcore.ports.context import Services
from jobcore.ports.middleware import Middleware
from jobcore.ports.observer import Observer
from jobcore.ports.runner import AbortControl, ClaimSession
from jobcore.redaction import describe_exception


class Executor:
    """Runs handlers. One serves a whole worker and belongs to one event loop; `close()` ends what it started.

    Args:
        registry: the handlers; looked up at each run, so that it may still grow.
        services: what handlers find as `ctx.services`.
        middleware: code around every handler, the first outermost.
        observer: hears of each start; whoever writes a settlement tells of that.
        codec: how payloads and results are written at rest.
        clock: what time it is.
        logger: where handlers and the executor log.
        plan_child, submit: what `ctx.enqueue` needs: makes a follow-up's job, and enqueues jobs without a transaction.
        threads, processes: how many `def` handlers, and how many handlers in processes, may run at once.
        cleanup_grace: how long an interrupted handler may clean up before it is left behind.
        log_finished: whether each completed job is logged, at INFO (G16).
    """

    def __init__(
        self,
        registry: JobHandlerRegistry,
        *,
        services: Services | None = None,
        middleware: Sequence[Middleware] = (),
        observer: Observer | None = None,
        codec: PayloadCodec | None = None,
        clock: Clock | None = None,
        logger: logging.Logger = logs.ROOT,
        plan_child: PlanChild | None = None,
        submit: Submit | None = None,
        threads: int = 64,
        processes: int = 4,
        cleanup_grace: timedelta = timedelta(seconds=5),
        log_finished: bool = True,
    ) -> None:
        self._registry = registry
        self._chain = compose(middleware)
        self._observer = compose_observers([] if observer is None else [observer], logger)
        self._logger = logger
        self._around = Surroundings(
            services=services or NoServices(),
            codec=codec or PlainCodec(),
            clock=clock or SystemClock(),
            logger=logger,
            plan_child=plan_child,
            submit=submit,
        )
        self._cleanup_grace = cleanup_grace
        self._log_finished = log_finished
        self._threads = ThreadPool(threads, logger)
        self._process_limit = processes
        self._processes: ProcessPool | None = None
        self._stragglers: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def execute(self, claim: Claim, session: ClaimSession, abort: AbortControl) -> Settlement:
        """Run the handler of `claim` and say how it ended.

        Never raises for what a handler does. If the calling task is cancelled, the handler is stopped first. `abort` is
        one that `new_abort` made.
        """
        signal = _own(abort)
        definition = self._registry.find(claim.name)
        if definition is None:
            return self._log(self._without_handler(claim, session, signal))
        context = ExecutionContext(claim, session, signal, None, self._around)
        refused = self._parse_payload(definition, context)
        if refused is not None:
            return self._log(refused)
        self._observer.job_started(claim)
        ending = await self._run(definition, context, signal)
        await context.finish()
        return self._log(self._decide(definition, context, ending, signal))

    def new_abort(self) -> Abort:
        """Return the abort signal for one claim (`WorkerHost.new_abort`)."""
        return Abort()

    def check(self) -> None:
        """Check what can be checked of the handlers before the first job; raises `InvalidHandlerError`."""
        for definition in self._registry:
            if definition.execution is Execution.PROCESS:
                check_process_handler(definition)

    def lost_threads(self) -> list[str]:
        """Return `name:jobId` of each run whose thread could not be stopped and still runs."""
        return self._threads.lost()

    def left_behind(self) -> int:
        """Return how many runs did not end when interrupted and still run on the loop."""
        return len(self._stragglers)

    def process_ids(self) -> list[int]:
        """Return the ids of the handler processes that are kept warm."""
        return [] if self._processes is None else self._processes.idle_pids()

    async def close(self) -> None:
        """Let the idle threads go and end the handler processes. Call it when no claim runs any more."""
        self._threads.close()
        if self._processes is not None:
            await self._processes.close()

    # -- the steps of execute ------------------------------------------------------------------------------------------

    def _without_handler(self, claim: Claim, session: ClaimSession, signal: Abort) -> Settlement:
        """Fail the attempt by the default policy: while a deployment rolls out, another worker may have the handler."""
        context = ExecutionContext(claim, session, signal, None, self._around)
        return failure(context, DEFAULT_RETRY, HandlerNotFoundError(claim.name, self._registry.get_registered_names()))

    def _parse_payload(self, definition: AnyHandler, context: ExecutionContext) -> Settlement | None:
        """Give the context its data, or return why it has none.

        A payload that does not fit never will; one of a newer version will fit in a newer build.
        """
        claim, codec = context.claim, self._around.codec
        try:
            plain = codec.decode(claim.payload, tenant=claim.tenant, job_id=claim.job_id)
            context.data = read_payload(definition, plain)
        except PayloadError as error:
            return context.settlement(Outcome.FAILED, error=describe_exception(error))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a model's validators are a user's code, and may raise anything
            return failure(context, _policy_of(definition, claim), error)
        return None

    async def _run(self, definition: AnyHandler, context: ExecutionContext, signal: Abort) -> Ending:
        if signal.aborted:
            return Ending(stopped=signal.kind, interrupted=True, began=False)
        run = self._make_run(definition, context, signal)
        bounds = Bounds(definition.timeout, definition.abort_grace, self._cleanup_grace)
        watch = Supervision(run, signal, bounds, self._own_loop())
        ending = await watch.wait(lambda: self._chain(context, run.call), self._stragglers)
        if ending.abandoned:
            logs.handler_left_behind(self._logger, context.claim, self._cleanup_grace)
        return ending

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop, asked for once: to ask costs a system call, and each job would."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    def _decide(self, definition: AnyHandler, context: ExecutionContext, ending: Ending, signal: Abort) -> Settlement:
        policy = _policy_of(definition, context.claim)
        try:
            return decide(context, policy, definition.timeout, ending, signal)
        except Exception as error:  # noqa: BLE001 - what a handler returns or raises is its own object, of any make
            return failure(context, policy, error)

    def _make_run(self, definition: AnyHandler, context: ExecutionContext, signal: Abort) -> Run:
        match definition.execution:
            case Execution.ASYNC:
                return CoroutineRun(definition, context)
            case Execution.THREAD:
                return ThreadRun(definition, context, self._threads)
            case Execution.PROCESS:
                self._processes = self._processes or ProcessPool(self._process_limit)
                return ProcessRun(definition, context, signal, self._processes)

    def _log(self, settlement: Settlement) -> Settlement:
        if settlement.outcome is not Outcome.COMPLETED:
            logs.job_not_completed(self._logger, settlement)
        elif self._log_finished and self._logger.isEnabledFor(logging.INFO):
            logs.job_completed(self._logger, settlement)
        return settlement


def _policy_of(definition: AnyHandler, claim: Claim) -> RetryPolicy:
    return definition.retry if claim.retry_delay is None else definition.retry.beginning_with(claim.retry_delay)


def _own(abort: AbortControl) -> Abort:
    if isinstance(abort, Abort):
        return abort
    raise TypeError(f"execute() takes an abort that new_abort made, not a {type(abort).__qualname__}.")
