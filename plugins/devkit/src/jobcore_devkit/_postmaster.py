"""What a data folder says about the server that runs on it: the file `postmaster.pid`, and whether it is true."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jobcore_devkit._guard_script import is_alive, read_pid

PROGRAM = "postgres"
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
    pid = read_pid(data_dir / PID_FILE)
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
        pid = read_pid(lock)
        if pid is not None and not is_postgres(pid):
            lock.unlink(missing_ok=True)


def is_postgres(pid: int) -> bool:
    """Say whether a process lives and is a `postgres`."""
    return is_alive(pid, PROGRAM)


def _line(lines: list[str], index: int) -> str:
    return lines[index].strip() if index < len(lines) else ""
