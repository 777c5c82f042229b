"""How long an endpoint asks to be left alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from jobcore_handlers.retry_after import retry_after

LONGEST_PAUSE = timedelta(hours=1)
"""No endpoint holds its deliveries up for longer, whatever it asks for."""


def read_retry_after(headers: Iterable[tuple[bytes, bytes]], *, now: datetime | None = None) -> timedelta | None:
    """Return the pause that a response asks for, from zero to an hour; `None` if it asks for none that can be read."""
    for name, value in headers:
        if name.lower() == b"retry-after":
            asked = retry_after(value.decode("ascii", "replace"), now or datetime.now(UTC))
            return None if asked is None else timedelta(seconds=min(asked, LONGEST_PAUSE.total_seconds()))
    return None
