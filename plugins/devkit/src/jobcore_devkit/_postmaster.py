"""What a data folder says about the server that runs on it: the file `postmaster.pid`, and whether it is true."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

PID_FILE = "postmaster.pid"


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A running server, read from `postmaster.pid`."""

    pid: int
    port: int
    socket_dir: Path | None
    ready: bool


def running_postmaster(data_dir: Path) -> Postmaster | None:
    """Return the server that runs on this folder. A file that a dead server left behind counts as none."""
    pid = _first_number(data_dir / PID_FILE)
    if pid is None or not is_postgres(pid):
        return None
    try:
        lines = (data_dir / PID_FILE).read_text().splitlines()
    except FileNotFoundError:
        return None
    port, socket_dir, status = _line(lines, 3), _line(lines, 4), _line(lines, 7)
    return Postmaster(pid, int(port or 0), Path(socket_dir) if socket_dir else None, ready=status == "ready")


def drop_stale_locks(data_dir: Path, socket_dir: Path) -> None:
    """Delete the lock files of a server that is gone, or whose number another program or a zombie has now."""
    for lock in (data_dir / PID_FILE, *socket_dir.glob(".s.PGSQL.*.lock")):
        pid = _first_number(lock)
        if pid is not None and not is_postgres(pid):
            lock.unlink(missing_ok=True)


def is_postgres(pid: int) -> bool:
    """Say whether a process lives and is a `postgres` (a zombie does not live)."""
    if Path("/proc/self/stat").exists():
        try:
            name, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            return False
        return name.endswith("(postgres") and rest.split()[0] not in ("Z", "X")
    answer = subprocess.run(
        ["/bin/ps", "-o", "stat=,comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    return len(answer) >= 2 and not answer[0].startswith("Z") and os.path.basename(answer[1]) == "postgres"  # noqa: PTH119


def _line(lines: list[str], index: int) -> str:
    return lines[index].strip() if index < len(lines) else ""


def _first_number(path: Path) -> int | None:
    try:
        return int(path.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
