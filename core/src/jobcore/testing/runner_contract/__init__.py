"""The contract that every runner keeps: one test for each behaviour, seen from outside.

A runner's author writes a test module of a few lines:

    from jobcore.testing.runner_contract import *

    @pytest.fixture
    def harness():
        return MyHarness()  # a RunnerHarness

and gets every behaviour as a test of its own. It needs pytest and pytest-asyncio.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import pytest

_THEMES = (
    "enqueueing",
    "deduplicating",
    "transactions",
    "delaying",
    "ordering",
    "payloads",
    "retrying",
    "outcomes",
    "results",
    "recording",
    "details",
    "progress",
    "stepping",
    "completing",
    "children",
    "timing_out",
    "cancelling",
    "processes",
    "limiting",
    "displacing",
    "following",
    "pausing",
    "quotas",
    "tenants",
    "operating",
    "shutting_down",
    "rescuing",
    "scheduling",
    "overlapping",
    "watching",
    "declaring",
    "history",
)

pytest.register_assert_rewrite(*(f"{__name__}.{theme}" for theme in (*_THEMES, "site")))

from jobcore.testing.runner_contract.behaviour import Behaviour, collected  # noqa: E402 - so that failed
from jobcore.testing.runner_contract.harness import RunnerHarness  # noqa: E402 - assertions tell what they saw

THEMES = tuple(import_module(f"{__name__}.{theme}") for theme in _THEMES)
"""The modules of the contract, in the order of a job's life."""

BEHAVIOURS: Mapping[str, Behaviour] = collected(THEMES)
"""Every behaviour by the name of its test; each is a coroutine function of a harness."""

globals().update(BEHAVIOURS)

__all__ = ["RunnerHarness"]
__all__ += list(BEHAVIOURS)  # pyright: ignore[reportUnsupportedDunderAll] - it cannot know them
