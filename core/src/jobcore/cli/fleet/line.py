"""What a supervisor and its worker processes say to each other: single bytes on a socket. Its end tells of a death."""

from __future__ import annotations

from enum import Enum


class Order(Enum):
    """From the supervisor to a worker process."""

    DRAIN = b"d"
    HAND_BACK = b"h"
    RELOAD = b"l"


READY = b"r"
"""From a worker process, once: it works."""
