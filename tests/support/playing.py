"""Plays programs of `support.programs` against a real runner, and keeps what it saw of the runs for the checker."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

from jobcore import (
    Cancel,
    Concurrency,
    FairShare,
    JobApp,
    JobContext,
    JobData,
    JobState,
    NonRetryableError,
    RateLimit,
    Retry,
    RetryPolicy,
    Snooze,
    job,
)
from jobcore.app.handle import AppJobHandle
from support.history import ClientCall, Effect
from support.programs import (
    KINDS,
    Again,
    CancelJob,
    Crash,
    Enqueue,
    Pass,
    Pause,
    Release,
    Resume,
    RetryJob,
    Step,
    Work,
)


class Told(JobData):
    number: int
    plot: str = ""
    key: str = ""


class Engine(Protocol):
    """How a program is played on one runner."""

    app: JobApp
    unit: timedelta
    """The delay of a retry, and what a program's delays count."""
    stands_still: bool
    """Whether nothing happens but by a step."""

    def now(self) -> datetime:
        """An instant for the ledger, later than the one before."""
        ...

    async def work(self, jobs: int) -> None: ...

    async def let_pass(self, span: timedelta) -> None: ...

    async def crash(self, jobs: int) -> None: ...

    async def settle_down(self, is_quiet: Callable[[], Awaitable[bool]]) -> None:
        """Work until nothing but an operator could make a job go on."""
        ...


@dataclass
class Stage:
    """Where programs are played: handlers that follow their plots and tell what they do."""

    unit: timedelta
    effects: list[Effect] = field(default_factory=list[Effect])
    breaches: list[str] = field(default_factory=list[str])
    holding: set[UUID] = field(default_factory=set[UUID])
    """Jobs whose handlers hold."""
    running: Counter[str] = field(default_factory=Counter[str])
    now: Callable[[], datetime] = datetime.now
    _starts: Counter[UUID] = field(default_factory=Counter[UUID])
    _gates: dict[UUID, asyncio.Event] = field(default_factory=dict[UUID, asyncio.Event])
    _is_over: bool = False

    def begin(self) -> None:
        """Forget the program before."""
        self.effects, self.breaches, self._is_over = [], [], False
        self._starts.clear()
        self._gates.clear()

    def let_go(self, job_id: UUID) -> None:
        self._gates.setdefault(job_id, asyncio.Event()).set()

    def let_all_go(self) -> None:
        self._is_over = True
        for gate in self._gates.values():
            gate.set()

    def handlers(self) -> list[Any]:
        """The handlers, one for each kind of limit."""
        retry = RetryPolicy(max_attempts=2, initial_interval=self.unit, max_interval=self.unit)
        limits: dict[str, list[Any]] = {
            "plain": [],
            "single": [Concurrency(1)],
            "keyed": [Concurrency(1, key="key")],
            "pair": [Concurrency(2, per="tenant")],
            "rated": [RateLimit(2, self.unit * 2, burst=1)],
            "fair": [FairShare(), Concurrency(3)],
        }
        most = {"single": 1, "keyed": 1, "pair": 2, "fair": 3}
        return [job(kind, retry=retry, limits=limits[kind])(self._handler(kind, most.get(kind))) for kind in KINDS]

    def _handler(self, kind: str, most: int | None) -> Callable[[JobContext, Told], Awaitable[int]]:
        async def run(ctx: JobContext, data: Told) -> int:
            place = {"keyed": f"keyed {ctx.tenant_id} {data.key}", "pair": f"pair {ctx.tenant_id}"}.get(kind, kind)
            exclusive = place if most == 1 else None
            self._note(ctx, "start", exclusive)
            self.running[place] += 1
            if most is not None and self.running[place] > most:
                self.breaches.append(f"{self.running[place]} jobs of {place} ran at once")
            try:
                await self._follow_plot(ctx, data)
            finally:
                self.running[place] -= 1
                if not ctx.signal.aborted:
                    self._note(ctx, "end", exclusive)
            return data.number

        return run

    async def _follow_plot(self, ctx: JobContext, data: Told) -> None:
        self._starts[ctx.job_id] += 1
        run = self._starts[ctx.job_id] - 1
        match data.plot[run] if run < len(data.plot) else "":
            case "f":
                raise RuntimeError("as planned")
            case "r":
                raise Retry("as planned", after=self.unit)
            case "s":
                self._note(ctx, "snoozed", None)
                raise Snooze(self.unit)
            case "c":
                raise Cancel("as planned")
            case "n":
                raise NonRetryableError("as planned")
            case "h":
                await self._hold(ctx)
            case _:
                await asyncio.sleep(0)

    async def _hold(self, ctx: JobContext) -> None:
        gate = self._gates.setdefault(ctx.job_id, asyncio.Event())
        if self._is_over:
            return
        self.holding.add(ctx.job_id)
        waits = [asyncio.ensure_future(gate.wait()), asyncio.ensure_future(ctx.signal.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.holding.discard(ctx.job_id)
            for wait in waits:
                wait.cancel()

    def _note(self, ctx: JobContext, what: str, key: str | None) -> None:
        self.effects.append(Effect(self.now(), ctx.job_id, ctx.attempt, 0, what, key))


@dataclass
class Play:
    """One program being played, for tenants of its own."""

    engine: Engine
    stage: Stage
    tenants: tuple[UUID, UUID] = field(default_factory=lambda: (uuid4(), uuid4()))
    handles: list[AppJobHandle[Any]] = field(default_factory=list[AppJobHandle[Any]])
    said: list[tuple[str, Told, dict[str, Any]]] = field(default_factory=list[tuple[str, Told, dict[str, Any]]])
    """The enqueues that made jobs."""
    paused: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    after: dict[UUID, tuple[str, tuple[UUID, ...]]] = field(default_factory=dict[UUID, tuple[str, tuple[UUID, ...]]])
    """What jobs with parents do where one is unsuccessful, and the parents."""

    @property
    def calls(self) -> list[ClientCall]:
        return [ClientCall(handle.job_id, "ok") for handle in self.handles]

    async def perform(self, program: Sequence[Step]) -> None:
        self.stage.begin()
        for step in program:
            await self._take(step)
        for what in self.paused:
            await self.engine.app.resume(**what)
        self.stage.let_all_go()
        await self.engine.settle_down(self._is_quiet)
        while not all(state.is_terminal for state in (await self._states()).values()):
            await self._give_up()
            await self.engine.settle_down(self._is_quiet)

    async def _take(self, step: Step) -> None:
        app, engine = self.engine.app, self.engine
        match step:
            case Enqueue():
                await self._enqueue(step)
            case Again(which) if self.said:
                await self._say_again(which)
            case CancelJob(which) if self.handles:
                await self._handle(which).cancel("by the program")
            case RetryJob(which) if self.handles:
                handle = self._handle(which)
                await app.retry(handle.tenant, handle.job_id)
            case Release(which) if self.handles:
                self.stage.let_go(self._handle(which).job_id)
            case Resume():
                await app.resume(**self._what(step))
            case Pause():
                await app.pause(**self._what(step))
                self.paused.append(self._what(step))
            case Work(jobs):
                await engine.work(jobs)
            case Pass(units):
                await engine.let_pass(engine.unit * units)
            case Crash(jobs):
                await engine.crash(jobs)
            case _:
                pass

    async def _enqueue(self, step: Enqueue) -> None:
        tenant = self.tenants[step.tenant]
        options: dict[str, Any] = {"tenant": tenant, "job_id": uuid4()}
        own = [handle for handle in self.handles if handle.tenant == tenant]
        if own and step.parents:
            options["after"] = [own[which % len(own)] for which in step.parents]
            options["on_parent_failure"] = step.on_failure
        if step.rule is not None:
            options |= {"dedupe_key": f"key {step.key}", "on_conflict": step.rule}
        if step.rule in ("debounce", "throttle"):
            options["window"] = self.engine.unit * 2
        if step.delay and step.rule != "debounce":
            options["delay"] = self.engine.unit * step.delay
        data = Told(number=len(self.handles), plot=step.plot, key=str(step.key))
        handle = await self.engine.app.enqueue(step.kind, data, **options)
        self.handles.append(handle)
        if not handle.deduplicated:
            self.after[handle.job_id] = (step.on_failure, tuple(parent.job_id for parent in options.get("after", ())))
            self.said.append((step.kind, data, options))

    async def _say_again(self, which: int) -> None:
        """Enqueue a job again that was made: it stands for itself, whatever became of it, and nothing changes."""
        kind, data, options = self.said[which % len(self.said)]
        before = await self._states()
        handle = await self.engine.app.enqueue(kind, data, **options)
        if handle.job_id != options["job_id"]:
            self.stage.breaches.append(f"job {options['job_id']} was answered as {handle.job_id} when said again")
        if self.engine.stands_still and await self._states() != before:
            self.stage.breaches.append(f"to say job {handle.job_id} again changed others: {before}")

    def _handle(self, which: int) -> AppJobHandle[Any]:
        return self.handles[which % len(self.handles)]

    def _what(self, step: Pause) -> dict[str, Any]:
        return {step.what: self.tenants[step.tenant] if step.what == "tenant" else step.kind}

    async def _has_ended(self, handle: AppJobHandle[Any]) -> bool:
        return (await handle.status()).status.is_terminal

    async def _is_quiet(self) -> bool:
        """Whether all jobs have ended, but for those that wait for an operator, and whoever waits for these."""
        states = await self._states()
        return all(state.is_terminal or self._is_stuck(job_id, states) for job_id, state in states.items())

    async def _states(self) -> dict[UUID, JobState]:
        return {handle.job_id: (await handle.status()).status for handle in self.handles}

    def _is_stuck(self, job_id: UUID, states: dict[UUID, JobState]) -> bool:
        policy, parents = self.after.get(job_id, ("", ()))
        if states[job_id] is not JobState.PENDING:
            return False
        return any(
            (policy == "wait" and states[parent] in (JobState.FAILED, JobState.CANCELLED))
            or self._is_stuck(parent, states)
            for parent in parents
        )

    async def _give_up(self) -> None:
        """Cancel what waits for an operator. Fails for a job that waits for nothing."""
        states = await self._states()
        waiting = {job_id for job_id, state in states.items() if not state.is_terminal}
        stuck = {job_id for job_id in waiting if self._is_stuck(job_id, states)}
        assert stuck == waiting, f"jobs wait without a cause: {[(i, states[i].value) for i in waiting - stuck]}"
        for handle in self.handles:
            if handle.job_id in stuck:
                await handle.cancel("it waits for a job that was not successful")
