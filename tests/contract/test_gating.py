"""What a runner declares not to have is skipped by name, and refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from contract.memory_harness import MemoryHarness
from jobcore.memory import MemoryRunner, MemoryStore
from jobcore.ports.runner import Capabilities
from jobcore.testing import runner_contract, storage_contract
from jobcore.testing.runner_contract import declaring
from jobcore.testing.runner_contract.behaviour import behaviours_of, needs_of
from jobcore.testing.runner_contract.harness import EXECUTIONS, FLAGS
from jobcore.testing.storage_contract import StorageHarness

NOTHING = Capabilities(**dict.fromkeys(FLAGS, False), executions=frozenset({"async"}))
GATED = {name: behaviour for name, behaviour in runner_contract.BEHAVIOURS.items() if needs_of(behaviour)}
NEEDS = {need for behaviour in GATED.values() for need in needs_of(behaviour)}


class ModestRunner(MemoryRunner):
    """Runs jobs in their order, and promises nothing else."""

    capabilities = NOTHING


class ModestHarness(MemoryHarness):
    capabilities = NOTHING
    can_advance = False

    def make_runner(self, store: MemoryStore) -> MemoryRunner:
        return ModestRunner(store)


@pytest.mark.parametrize("name", GATED)
async def test_what_a_runner_does_not_have_is_skipped_by_name(name: str) -> None:
    harness = ModestHarness()
    with pytest.raises(pytest.skip.Exception, match=f"ModestHarness: not offered here: {needs_of(GATED[name])[0]}"):
        await GATED[name](harness)


@pytest.mark.parametrize("name", behaviours_of(declaring))
async def test_a_modest_runner_says_so_and_refuses_what_it_lacks(name: str) -> None:
    await runner_contract.BEHAVIOURS[name](ModestHarness())


def test_only_what_can_be_declared_is_needed() -> None:
    assert {*FLAGS, *EXECUTIONS, "rescue", "advance"} >= NEEDS
    assert {"delayed", "recurring", "priority", "cancel_running", "transactional_enqueue", "complete_in"} <= NEEDS


async def test_a_storage_without_a_movable_clock_skips_what_needs_one() -> None:
    class Plain(StorageHarness):
        store: Any = MemoryStore()

    gated = [behaviour for behaviour in storage_contract.BEHAVIOURS.values() if needs_of(behaviour)]
    assert len(gated) >= 5
    for behaviour in gated:
        with pytest.raises(pytest.skip.Exception, match="Plain: not offered here"):
            await behaviour(Plain())
