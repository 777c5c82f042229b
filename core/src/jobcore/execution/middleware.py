"""Middleware, composed once: the first registered is the outermost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from jobcore.ports.context import JobContext
from jobcore.ports.middleware import CallNext, Middleware

Chain = Callable[[JobContext, CallNext], Awaitable[Any]]
"""Runs the middleware around a handler's call."""


def compose(middleware: Sequence[Middleware]) -> Chain:
    """Return the chain of `middleware`; without any it is the call itself."""
    chain: Chain = _call
    for layer in reversed(middleware):
        chain = _around(layer, chain)
    return chain


def _call(_ctx: JobContext, call: CallNext) -> Awaitable[Any]:
    return call()


def _around(layer: Middleware, inner: Chain) -> Chain:
    def run(ctx: JobContext, call: CallNext) -> Awaitable[Any]:
        return layer(ctx, lambda: inner(ctx, call))

    return run
