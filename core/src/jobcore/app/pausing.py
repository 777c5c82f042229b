"""What an operator names when pausing: a queue, a handler or a tenant."""

from __future__ import annotations

from jobcore.app.queries import TenantId
from jobcore.errors import InputError
from jobcore.handlers.definition import HandlerDefinition
from jobcore.handlers.registry import AnyHandler
from jobcore.ids import parse_tenant
from jobcore.limits import check_job_name, check_queue_name
from jobcore.models import PauseKind


def what_to_pause(
    *, queue: str | None, handler: AnyHandler | str | None, tenant: TenantId | None
) -> tuple[PauseKind, str]:
    """Return the kind and the name of the one thing that is named. Raises `InputError` for none, and for several."""
    named: list[tuple[PauseKind, str]] = []
    if queue is not None:
        named.append((PauseKind.QUEUE, check_queue_name(queue)))
    if handler is not None:
        name = handler.name if isinstance(handler, HandlerDefinition) else check_job_name(handler)
        named.append((PauseKind.HANDLER, name))
    if tenant is not None:
        named.append((PauseKind.TENANT, str(parse_tenant(tenant))))
    if len(named) != 1:
        raise InputError("Name one of queue=, handler= and tenant=: what is to be paused, or to go on.")
    return named[0]
