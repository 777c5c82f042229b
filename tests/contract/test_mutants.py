"""The contracts are proven: each mutant breaks one promise, and the behaviour that it names catches it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType

import pytest

from contract.memory_harness import MemoryHarness
from contract.mutants import admissions, cancelling, enqueueing, flow, quotas, running, storages, stores, writing
from contract.mutants.base import BrokenRunner, BrokenStore, MutantHarness, MutantStorageHarness
from jobcore.errors import JobcoreError
from jobcore.memory import MemoryStore
from jobcore.testing import runner_contract, storage_contract

Mutant = type[BrokenRunner] | type[BrokenStore]

BROKEN = (AssertionError, JobcoreError, ValueError, pytest.fail.Exception)
"""How a behaviour tells that it is not kept."""


def mutants_in(*modules: ModuleType) -> Iterator[Mutant]:
    for module in modules:
        for name, value in vars(module).items():
            own = inspect.isclass(value) and value.__module__ == module.__name__
            if own and not name.startswith("_") and issubclass(value, BrokenRunner | BrokenStore):
                yield value


MUTANTS = list(mutants_in(enqueueing, running, writing, cancelling, flow, quotas, stores, storages, admissions))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
async def test_a_mutant_is_caught_and_the_sound_engine_is_not(mutant: Mutant) -> None:
    if mutant.caught_by in storage_contract.BEHAVIOURS:
        behaviour = storage_contract.BEHAVIOURS[mutant.caught_by]
        sound, broken = MutantStorageHarness(MemoryStore), MutantStorageHarness(mutant)
    else:
        behaviour = runner_contract.BEHAVIOURS[mutant.caught_by]
        sound, broken = MemoryHarness(), MutantHarness(mutant)
    await behaviour(sound)
    with pytest.raises(BROKEN):
        await behaviour(broken)


def test_there_are_many_mutants() -> None:
    assert len(MUTANTS) >= 60
    assert len({mutant.caught_by for mutant in MUTANTS}) >= 50
