"""How a behaviour says what it needs: `@needs("priority")`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import wraps
from types import ModuleType
from typing import Any

import pytest

Behaviour = Callable[..., Awaitable[None]]
"""One promise of the contract: a coroutine function that takes the harness, and raises if it is broken."""

_NEEDS = "needs"


def needs(*requirements: str) -> Callable[[Behaviour], Behaviour]:
    """Skip the behaviour, with the name of what is missing, where the harness lacks one of `requirements`."""

    def gate(behaviour: Behaviour) -> Behaviour:
        @wraps(behaviour)
        async def gated(harness: Any) -> None:
            harness.require(*requirements)
            await behaviour(harness)

        setattr(gated, _NEEDS, requirements)
        return gated

    return gate


def needs_of(behaviour: Behaviour) -> tuple[str, ...]:
    """Return what a behaviour needs beside a runner."""
    return getattr(behaviour, _NEEDS, ())


def behaviours_of(theme: ModuleType) -> Mapping[str, Behaviour]:
    """Return the behaviours of a module, by name."""
    return {name: value for name, value in vars(theme).items() if name.startswith("test_")}


def collected(themes: Iterable[ModuleType]) -> Mapping[str, Behaviour]:
    """Return the behaviours of all themes by name, each marked for pytest-asyncio's strict mode."""
    return {name: pytest.mark.asyncio(value) for theme in themes for name, value in behaviours_of(theme).items()}


def title_of(theme: ModuleType) -> str:
    """Return what a theme is about: the first line of its module's docstring."""
    return (theme.__doc__ or "").strip().partition("\n")[0].rstrip(".")
