"""What can go wrong with a server that the devkit runs."""

from __future__ import annotations

from jobcore.errors import StorageError


class DevkitError(StorageError):
    """The root of the devkit's errors."""


class BinariesNotFoundError(DevkitError):
    """A server's programs are not installed; the message names what was looked at and how to install them."""


class DataFolderError(DevkitError):
    """A data folder cannot serve: it holds something else, is in use, or the server's user cannot reach it."""


class ServerStartError(DevkitError):
    """A server did not start. The message ends with the tail of its log, also kept as `log_tail`."""

    def __init__(self, what: str, log_tail: str) -> None:
        self.log_tail = log_tail
        super().__init__(f"{what}\nThe end of its log:\n{log_tail or '(the log is empty)'}")


class PortTakenError(DevkitError):
    """A server was to listen on a port that something else uses."""

    def __init__(self, server: str, port: int) -> None:
        super().__init__(
            f"{server} cannot listen on 127.0.0.1:{port}, which is in use. "
            f"Stop what uses it (`ss -ltnp 'sport = :{port}'` names it), or pass port 0 for a free one."
        )


class ServerStopError(DevkitError):
    """A server did not stop in time."""

    def __init__(self, server: str, pid: int, seconds: float, advice: str) -> None:
        super().__init__(f"{server} (process {pid}) did not stop within {seconds:g} s. {advice}")


class ServerNotRunningError(DevkitError):
    """Something was asked of a server that is not running."""
