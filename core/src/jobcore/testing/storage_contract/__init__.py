"""The contract that every storage keeps: one test for each behaviour of the `JobStore` port.

A storage's author writes a test module of a few lines, as for `jobcore.testing.runner_contract`:

    from jobcore.testing.storage_contract import *

    @pytest.fixture
    async def harness():
        ...
        yield MyStorageHarness(store)
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import pytest

_THEMES = ("jobs", "moves", "items", "listings", "leases", "schedules", "workers", "admission")

pytest.register_assert_rewrite(*(f"{__name__}.{theme}" for theme in _THEMES))

from jobcore.testing.runner_contract.behaviour import Behaviour, collected  # noqa: E402 - so that failed
from jobcore.testing.storage_contract.harness import StorageHarness  # noqa: E402 - assertions tell what they saw

THEMES = tuple(import_module(f"{__name__}.{theme}") for theme in _THEMES)
"""The modules of the contract."""

BEHAVIOURS: Mapping[str, Behaviour] = collected(THEMES)
"""Every behaviour by the name of its test; each is a coroutine function of a harness."""

globals().update(BEHAVIOURS)

__all__ = ["StorageHarness"]
__all__ += list(BEHAVIOURS)  # pyright: ignore[reportUnsupportedDunderAll] - it cannot know them
