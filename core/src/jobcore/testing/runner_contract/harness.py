"""What a runner's author gives the contract: how to open an application on the runner, and what else can be done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest

from jobcore.app.facade import JobApp
from jobcore.ports.runner import Capabilities

TRANSACTIONAL = ("transactional_enqueue", "complete_in")
EXECUTIONS = ("async", "thread", "process")
FLAGS = tuple(field.name for field in fields(Capabilities) if field.type == "bool")


class RunnerHarness(ABC):
    """One engine, for one test: every application that it opens uses the same queues and the same store.

    Only `capabilities` and `application` have to be written; `transaction` too, if the runner can enqueue in one.
    """

    capabilities: Capabilities
    """What the runner declares; behaviours that need more are skipped, with the capability's name."""
    patience: float = 20.0
    """Seconds that a behaviour waits for what should happen, before it fails."""
    lateness: float = 3.0
    """Seconds by which what is due may begin late, on the machine that runs the tests."""
    lease: timedelta | None = None
    """How long a worker may be silent before others get its jobs; `None`: never, and no test asks for it."""
    can_advance: bool = False
    """Whether `advance` is there; without it, what takes hours or days is not asked for."""

    @abstractmethod
    def application(self, **options: Any) -> AbstractAsyncContextManager[JobApp]:
        """Open an application whose default runner is the one under test, and close it again.

        Args:
            options: arguments of `JobApp`: `handlers`, `services`, `middleware`, `observers`; to be passed on.
        """

    def transaction(self, app: JobApp) -> AbstractAsyncContextManager[Any]:
        """Open a transaction such as a caller has, and yield what `enqueue(connection=...)` takes.

        It commits at the end of the block, and rolls back on an error.
        """
        raise NotImplementedError(f"{type(self).__qualname__}.transaction: the runner declares transactional_enqueue.")

    async def advance(self, app: JobApp, by: timedelta) -> None:
        """Move the engine's clock on, or everything that waits for an instant nearer by as much."""
        raise NotImplementedError(f"{type(self).__qualname__}.advance: the harness says that it can_advance.")

    async def line_up(self, app: JobApp) -> None:  # noqa: B027 - an enqueue does it
        """Bring every waiting job to where it lacks nothing but a worker's place, where only a worker does so.

        Asked for before an order of jobs is looked at, which is that of the places' filling; no worker runs.
        """

    async def nudge(self, app: JobApp) -> None:  # noqa: B027 - most runners need none
        """Run what is due, where no worker does so by itself; called again and again while a behaviour waits."""

    def lacks(self, need: str) -> bool:
        """Return whether the runner, or this harness, does without `need`.

        Args:
            need: a flag of `Capabilities`, an execution (`thread`, `process`), `rescue` or `advance`.
        """
        if need in EXECUTIONS:
            return need not in self.capabilities.executions
        if need == "rescue":
            return self.lease is None
        if need == "advance":
            return not self.can_advance
        return not getattr(self.capabilities, need)

    def require(self, *needs: str) -> None:
        """Skip the test that calls this if one of the needs is lacking, and name it."""
        for need in needs:
            if self.lacks(need):
                pytest.skip(f"{type(self).__qualname__}: not offered here: {need}")
