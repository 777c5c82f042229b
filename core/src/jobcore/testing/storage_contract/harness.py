"""What a storage's author gives the contract: an open store, and what else can be done with it."""

from __future__ import annotations

from abc import ABC
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import pytest

from jobcore.models import NewJob
from jobcore.ports.store import JobStore


class StorageHarness(ABC):
    """One store, for one test. Tests keep apart by their tenants, so that they may share a database."""

    store: JobStore
    """Open."""
    can_transact: bool = False
    """Whether jobs can be recorded in a caller's transaction: `transaction` is there."""
    can_advance: bool = False
    """Whether `advance` is there; without it, what takes a minute or an hour is not asked for."""

    can_submit: bool = False
    """Whether an engine is there that keeps its jobs in this storage: `submit` is there."""

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """Open a transaction such as a caller has, and yield what `create_job(connection=...)` takes.

        It commits at the end of the block, and rolls back on an error.
        """
        raise NotImplementedError(f"{type(self).__qualname__}.transaction: the harness says that it can_transact.")

    async def advance(self, by: timedelta) -> None:
        """Move the store's clock on, or its schedules and workers back by as much."""
        raise NotImplementedError(f"{type(self).__qualname__}.advance: the harness says that it can_advance.")

    async def submit(self, job: NewJob) -> None:
        """Enqueue a job at the engine, whichever the job names, so that it waits for what its admission asks for."""
        raise NotImplementedError(f"{type(self).__qualname__}.submit: the harness says that it can_submit.")

    def lacks(self, need: str) -> bool:
        """Return whether this storage does without `need`: `transact`, `advance` or `submit`."""
        return not {"transact": self.can_transact, "advance": self.can_advance, "submit": self.can_submit}[need]

    def require(self, *needs: str) -> None:
        """Skip the test that calls this if one of the needs is lacking, and name it."""
        for need in needs:
            if self.lacks(need):
                pytest.skip(f"{type(self).__qualname__}: not offered here: {need}")
