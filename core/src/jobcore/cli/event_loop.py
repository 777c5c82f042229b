"""Which event loop a worker runs on: uvloop where it is installed, unless the settings forbid it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from jobcore.errors import ConfigurationError

INSTALL = 'pip install "jobcore-core[uvloop]"'


@dataclass(frozen=True, slots=True)
class EventLoop:
    """An event loop's kind."""

    name: str
    """With its version, for the log and `doctor`."""
    new: Callable[[], asyncio.AbstractEventLoop] | None
    """Makes one; `None` means Python's own."""


def choose_event_loop(wanted: Literal["auto", "asyncio", "uvloop"]) -> EventLoop:
    """Return the event loop for `worker.event_loop`; imports uvloop.

    Raises:
        ConfigurationError: if uvloop is required and not installed.
    """
    uvloop = None if wanted == "asyncio" else _uvloop()
    if uvloop is None and wanted == "uvloop":
        raise ConfigurationError(
            f"worker.event_loop is uvloop, which is not installed: {INSTALL}, or set it to auto or asyncio."
        )
    return uvloop or EventLoop("asyncio", None)


def _uvloop() -> EventLoop | None:
    try:
        import uvloop
    except ImportError:
        return None
    return EventLoop(f"uvloop {uvloop.__version__}", uvloop.new_event_loop)
