"""What can go wrong with a server that the devkit runs."""

from __future__ import annotations

from pathlib import Path

from jobcore.errors import StorageError


class DevkitError(StorageError):
    """The root of the devkit's errors."""


class BinariesNotFoundError(DevkitError):
    """No usable PostgreSQL (or PgBouncer) is installed; the message names what was looked at and how to install one."""


class DataFolderError(DevkitError):
    """A data folder cannot serve: it holds something else, or the server's user cannot reach it."""


class ServerStartError(DevkitError):
    """A server did not start. The message ends with the tail of its log, also kept as `log_tail`."""

    def __init__(self, what: str, log_tail: str) -> None:
        self.log_tail = log_tail
        super().__init__(f"{what}\nThe end of its log:\n{log_tail or '(the log is empty)'}")


class ServerStopError(DevkitError):
    """A server did not stop in time."""

    def __init__(self, data_dir: Path, pid: int, mode: str, seconds: float) -> None:
        super().__init__(
            f"PostgreSQL on {data_dir} (process {pid}) did not stop within {seconds:g} s in mode {mode!r}. "
            "Close its clients, or stop it with mode='immediate'."
        )


class ServerNotRunningError(DevkitError):
    """Something was asked of a server that is not running."""
