"""How the program ends: as Python does, or past the interpreter's last steps where a library does not survive these."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable

_reasons: list[str] = []


def end_abruptly(reason: str) -> None:
    """Have this process end right after its exit handlers, if it is a run of the program `jobcore`.

    For libraries with threads of their own that crash while the interpreter is taken apart: the exit code would be the
    crash's. Safe to repeat.

    Args:
        reason: which library, and what is known about it.
    """
    if reason not in _reasons:
        _reasons.append(reason)


def run_to_the_end(program: Callable[[], object]) -> None:
    """Run the program, and leave with its exit code. Raises `SystemExit`, or does not return."""
    try:
        program()
    except SystemExit as end:
        if not _reasons:
            raise
        code = _code_of(end)
    else:
        code = 0
    if _reasons:
        atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage] - there is no public name
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _code_of(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1
