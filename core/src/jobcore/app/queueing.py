"""The BullMQ guide's words (B07-B11): three ways to make a job, and `enqueue_job` with its own sense of priority."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jobcore.app.facade import JobApp
from jobcore.app.handle import AppJobHandle
from jobcore.handlers.definition import define
from jobcore.handlers.payload import TENANT_FIELD, dump_payload
from jobcore.handlers.registry import AnyHandler
from jobcore.models import OnConflict
from jobcore.policies.dedupe import Dedupe
from jobcore.policies.limits import Concurrency, Key


def make_job(name: str, handler: Callable[..., Any], **options: Any) -> AnyHandler:
    """Return the definition of `handler`, a function `(ctx, data)`; the options are those of `@job` (B07)."""
    return define(name, handler, **options)


def make_singleton_job(name: str, handler: Callable[..., Any], *, key: Key | None = None, **options: Any) -> AnyHandler:
    """As `make_job`, with a lock: no two of its jobs run at once, over all workers; the others wait (B08).

    Args:
        key: lets those run beside one another whose payloads differ in it, or are of different tenants.
    """
    limits = (*options.pop("limits", ()), Concurrency(1, key=key))
    return define(name, handler, limits=limits, **options)


def make_superseding_job(name: str, handler: Callable[..., Any], dedupe_key_fn: Key, **options: Any) -> AnyHandler:
    """As `make_job`, where a newer job with the same key takes the place of older ones (B09, B10).

    One that waits is cancelled; one that runs finds `ctx.signal` aborted, and ends as cancelled once it has seen it.

    Args:
        dedupe_key_fn: a function of the payload, as its JSON document, or the name of a field.
    """
    return define(name, handler, dedupe=Dedupe(dedupe_key_fn, OnConflict.SUPERSEDE), **options)


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
