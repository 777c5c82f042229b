"""The guard of an ephemeral server, run as a script: `python -I -S _guard_script.py DATA_DIR FOLDER...`.

It reads a pipe whose other end the server's owner holds. When that end closes, by intent or because the owner was
killed, the guard stops the server that runs on the data folder, if one still does, and deletes the folders. It imports
nothing of ours, so that it costs little.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path

STOP_SECONDS = 30.0
POLL_SECONDS = 0.02


def main(data_dir: Path, folders: list[Path]) -> None:
    sys.stdin.buffer.read()
    _stop_server(data_dir / "postmaster.pid")
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _stop_server(pid_file: Path) -> None:
    pid = _server(pid_file)
    if pid is None:
        return
    os.kill(pid, signal.SIGQUIT)
    deadline = time.monotonic() + STOP_SECONDS
    # The server is not our child, so its end cannot be awaited; deleting this file is the last thing it does.
    while _server(pid_file) is not None and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _server(pid_file: Path) -> int | None:
    """The server's process id, unless it is gone or, where `/proc` tells, its number is another program's now."""
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        os.kill(pid, 0)
    except (FileNotFoundError, NotADirectoryError, ProcessLookupError, ValueError):
        return None
    name = Path(f"/proc/{pid}/comm")
    return None if name.exists() and name.read_text().strip() != "postgres" else pid


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(folder) for folder in sys.argv[2:]])
