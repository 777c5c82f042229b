"""What the program's exit codes mean, for scripts. They are listed in `docs/reference/cli.md`."""

from __future__ import annotations

from enum import IntEnum
from types import MappingProxyType


class ExitCode(IntEnum):
    """The exit codes of every command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFIGURATION = 3
    UNREACHABLE = 4
    SCHEMA = 5
    NOT_FOUND = 6
    TIMED_OUT = 7
    INTERNAL = 70
    INTERRUPTED = 130


MEANINGS = MappingProxyType(
    {
        ExitCode.OK: "done; a worker that was asked to stop has stopped",
        ExitCode.FAILED: "the operation failed: a job that was waited for failed or was cancelled, a check or a "
        "migration did not pass, a job could not be cancelled or retried in its state, a pause or a resume changed "
        "nothing, a job that was asked about "
        "waits for somebody to act",
        ExitCode.USAGE: "an argument, an option or the data given cannot be accepted; nothing was done",
        ExitCode.CONFIGURATION: "a setting is wrong, a plugin that is needed is missing or broken, or no handler is "
        "found",
        ExitCode.UNREACHABLE: "the database or the engine cannot be reached",
        ExitCode.SCHEMA: "the database's schema is missing, too old or too new",
        ExitCode.NOT_FOUND: "there is no such job, schedule, plugin or handler",
        ExitCode.TIMED_OUT: "a job did not end in the time given to `--timeout`; the job goes on",
        ExitCode.INTERNAL: "a fault of the program itself, or of a driver; `--debug` shows where",
        ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
    }
)
