"""The guard of an ephemeral server, run as a script: `python -I -S _guard_script.py PID_FILE PROGRAM SIGNAL FOLDER...`.

It reads a pipe whose other end the server's owner holds. When that end closes, by intent or because the owner was
killed, the guard ends the server that the file names, if it still lives, and deletes the folders. It imports nothing
of ours, so that it costs little.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

STOP_SECONDS = 30.0
POLL_SECONDS = 0.02


def main(pid_file: Path, program: str, signal_number: int, folders: list[Path]) -> None:
    """Wait for the owner's end, then clean up."""
    sys.stdin.buffer.read()
    pid = read_pid(pid_file)
    if pid is not None and is_alive(pid, program):
        os.kill(pid, signal_number)
        deadline = time.monotonic() + STOP_SECONDS
        while is_alive(pid, program) and time.monotonic() < deadline:  # not our child, so its end cannot be awaited
            time.sleep(POLL_SECONDS)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def read_pid(path: Path) -> int | None:
    """The number in a file's first line; None if there is no such file or no number in it."""
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def is_alive(pid: int, program: str) -> bool:
    """Say whether a process lives and runs this program. A zombie does not live."""
    if Path("/proc/self/stat").exists():
        try:
            name, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            return False
        return name.endswith(f"({program}") and rest.split()[0] not in ("Z", "X")
    answer = subprocess.run(
        ["/bin/ps", "-o", "stat=,comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(maxsplit=1)
    return len(answer) == 2 and not answer[0].startswith("Z") and Path(answer[1].strip()).name == program


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), [Path(folder) for folder in sys.argv[4:]])
