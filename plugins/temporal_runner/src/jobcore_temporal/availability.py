"""Whether an error says that the server is away, or what it thinks of the request."""

from __future__ import annotations

from temporalio.service import RPCError, RPCStatusCode

AWAY = {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED}
"""The last is what the SDK says of a call whose time was over, or whose connection broke under it."""
BROKEN = "transport error"
"""What the SDK says of a connection that broke while it sent, with the status UNKNOWN."""
REFUSALS = {RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.OUT_OF_RANGE}
"""What the server says to a request that it will never take, whoever sends it."""
UNREGISTERED = "search attribute"
"""What it says to one with an attribute that nobody has registered yet, with a status of these."""

TROUBLE = (RPCError, RuntimeError, TimeoutError, OSError)
"""What calls of the server raise: `RuntimeError` if nobody listens, `TimeoutError` if nobody answers."""


def is_away(error: BaseException) -> bool:
    """Whether the server cannot be reached, so that trying another job makes no sense."""
    if isinstance(error, RPCError):
        return error.status in AWAY or (error.status is RPCStatusCode.UNKNOWN and BROKEN in error.message)
    return isinstance(error, RuntimeError | TimeoutError | OSError)


def is_passing(error: BaseException) -> bool:
    """Whether the same request may be taken later. So it is with all that is not the request's own fault: neither an
    outage nor an expired key nor a namespace or an attribute that is yet to be made may fail a job."""
    return not (isinstance(error, RPCError) and error.status in REFUSALS and UNREGISTERED not in error.message)
