"""The log files that servers write into, in folders that their user owns."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

from jobcore_devkit._account import Account


def open_log(path: Path, account: Account) -> IO[bytes]:
    """Open a log to append to, owned by the server's user; its position is the log's present end."""
    # Root writes into a folder of an ordinary user here, who could have put a link in the file's place.
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if account.switch:
        os.fchown(descriptor, account.uid, account.gid)
    log = os.fdopen(descriptor, "ab")
    log.seek(0, os.SEEK_END)
    return log


def read_log(path: Path, start: int = 0) -> str:
    """What a log says from a position on; empty if there is no such file."""
    try:
        with path.open("rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace").strip()
    except FileNotFoundError:
        return ""
