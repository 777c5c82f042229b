"""The memory storage keeps the contract."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import pytest

from contract.memory_harness import HastenedClock
from jobcore.memory import MemoryRunner, MemoryStore
from jobcore.models import NewJob
from jobcore.testing.storage_contract import *  # noqa: F403 - one test for each behaviour
from jobcore.testing.storage_contract import StorageHarness


class MemoryStorageHarness(StorageHarness):
    """A store of its own, whose clock can be moved ahead."""

    store: MemoryStore
    can_transact = True
    can_advance = True
    can_submit = True

    def __init__(self) -> None:
        self.clock = HastenedClock()
        self.store = MemoryStore(self.clock)

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        return self.store.connection().transaction()

    async def advance(self, by: timedelta) -> None:
        self.clock.ahead += by

    async def submit(self, job: NewJob) -> None:
        await MemoryRunner(self.store).submit([job])


@pytest.fixture
def harness() -> MemoryStorageHarness:
    return MemoryStorageHarness()
