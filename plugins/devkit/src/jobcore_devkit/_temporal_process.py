"""The life of one `temporal server start-dev` process, until it is healthy."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from jobcore_devkit._account import own_account
from jobcore_devkit._logs import open_log, read_log
from jobcore_devkit._ports import LOOPBACK
from jobcore_devkit._temporal_program import run_command
from jobcore_devkit.errors import DataFolderError, ServerStartError

LOG_FILE = "log"
PID_FILE = "pid"
START_SECONDS = 60.0
LOCK_SECONDS = 3.0  # the server of an owner that was killed a moment ago is ended by its guard
POLL_SECONDS = 0.02


def launch(
    program: Path, options: Sequence[str | Path], port: int, folder: Path, locks: Sequence[int]
) -> subprocess.Popen[bytes]:
    """Start the process and wait until it is healthy. Raises ServerStartError with what it logged."""
    account = own_account()
    with open_log(folder / LOG_FILE, account) as log:
        before = log.tell()
        process = account.spawn([program, *options], log, locks)
    (folder / PID_FILE).write_text(f"{process.pid}\n")
    deadline = time.monotonic() + START_SECONDS
    while not _is_healthy(process, program, port):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise ServerStartError(
                f"Temporal ({program}) did not start on port {port}; it ended with code {process.returncode}.",
                read_log(folder / LOG_FILE, before),
            )
        time.sleep(POLL_SECONDS)
    return process


@contextmanager
def database_lock(database: Path | None) -> Generator[Sequence[int]]:
    """Give the lock on a database, as a file descriptor that its server inherits: it ends with the server.

    Two servers on one file would each serve half of its workflows. Raises DataFolderError if another one runs.
    """
    if database is None:
        yield ()
        return
    database.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock_of(database), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _take(descriptor):
            if time.monotonic() > deadline:
                raise DataFolderError(f"Another Temporal server uses {database}. Stop that one, or name another file.")
            time.sleep(POLL_SECONDS)
        yield (descriptor,)
    finally:
        os.close(descriptor)


def lock_of(database: Path) -> Path:
    """Return the file whose lock a running server on `database` holds."""
    return database.with_name(f"{database.name}.lock")


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_healthy(process: subprocess.Popen[bytes], program: Path, port: int) -> bool:
    """Ask on the port, and then whether it was this process that could have answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if probe.connect_ex((LOOPBACK, port)) != 0:
            return False
    return run_command(program, port, "operator", "cluster", "health").returncode == 0 and process.poll() is None
