"""The BullMQ guide's words (B07, B11): `make_job` and `enqueue_job`, with its own sense of priority."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jobcore.app.facade import JobApp
from jobcore.app.handle import AppJobHandle
from jobcore.handlers.definition import define
from jobcore.handlers.payload import TENANT_FIELD, dump_payload
from jobcore.handlers.registry import AnyHandler


def make_job(name: str, handler: Callable[..., Any], **options: Any) -> AnyHandler:
    """Return the definition of `handler`, a function `(ctx, data)`; the options are those of `@job` (B07)."""
    return define(name, handler, **options)


async def enqueue_job(
    app: JobApp,
    name: AnyHandler | str,
    payload: Any = None,
    *,
    delay: float = 0,
    priority: int | None = None,
    attempts: int | None = None,
    dedupe_key: str | None = None,
) -> AppJobHandle[Any]:
    """Enqueue a job in the BullMQ guide's terms (B11); raises as `JobApp.enqueue`.

    A payload without a `tenantId` belongs to the system tenant.

    Args:
        delay: milliseconds before it may run.
        priority: lower is more important, 0 the most: the inverse of everywhere else in jobcore.
        attempts: how often it is tried in all.
        dedupe_key: while a job with this key has not ended, another is not made.
    """
    document: Mapping[str, Any] = {TENANT_FIELD: "system", **dump_payload(payload)}
    return await app.enqueue(
        name,  # pyright: ignore[reportArgumentType, reportCallIssue] - a definition's payload was dumped above
        document,
        delay=delay / 1_000,
        priority=None if priority is None else -priority,
        max_attempts=attempts,
        dedupe_key=dedupe_key,
    )
