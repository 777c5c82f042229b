"""Who gives a command, as it is recorded."""

from __future__ import annotations

from getpass import getuser


def somebody() -> str:
    """Return who types this; containers may run under a user without a name."""
    try:
        return getuser()
    except (KeyError, OSError):
        return "the command line"
