"""The operating system's user that a server runs as: PostgreSQL and PgBouncer refuse to run as root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

HELPER_USER = "embedded_postgres"
FALLBACK_USER = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """A user that servers run as. `switch` says that we are root and change to it."""

    name: str
    uid: int
    gid: int
    switch: bool

    def run(self, command: Sequence[str | Path], *, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as this user and capture what it says; the caller looks at the return code."""
        user, group, groups = self._identity()
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=timeout, cwd="/", env=server_environment(),
            user=user, group=group, extra_groups=groups,
        )  # fmt: skip

    def spawn(
        self, command: Sequence[str | Path], log: IO[bytes], inherited: Collection[int] = ()
    ) -> subprocess.Popen[bytes]:
        """Start a server as this user, in a session of its own: a Ctrl-C in the terminal is not for it.

        It keeps the `inherited` file descriptors open until its end.
        """
        user, group, groups = self._identity()
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", env=server_environment(),
            user=user, group=group, extra_groups=groups, start_new_session=True, pass_fds=inherited,
        )  # fmt: skip

    def own(self, path: Path) -> None:
        """Give a file or folder to this user."""
        if self.switch:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, folder: Path) -> bool:
        """Say whether this user can enter a folder through all of its parents; asks the system, so ACLs count."""
        return self.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", folder]).returncode == 0

    def can_execute(self, program: Path) -> bool:
        """Say whether this user can start a program."""
        try:
            return self.run([program, "--version"]).returncode == 0
        except OSError:
            return False

    def _identity(self) -> tuple[int | None, int | None, list[int] | None]:
        return (self.uid, self.gid, []) if self.switch else (None, None, None)


def own_account() -> Account:
    """Ourselves, whoever that is."""
    return _account(pwd.getpwuid(os.geteuid()), switch=False)


def server_account(data_dir: Path | None = None) -> Account:
    """Choose whom a server runs as: ourselves, or, for root, the owner of the data or an ordinary helper user.

    As root and without data yet, the system user `embedded_postgres` is created if it is missing (`useradd`); where
    that is impossible the server runs as `nobody`. Blocks.
    """
    if os.geteuid() != 0:
        return own_account()
    owner = data_dir.stat().st_uid if data_dir is not None and data_dir.exists() else 0
    return _account(pwd.getpwuid(owner) if owner else _helper_user(), switch=True)


def server_environment() -> dict[str, str]:
    """A server's environment: English messages, UTC, and nothing of ours that may hold a secret."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **kept}


def _account(entry: pwd.struct_passwd, *, switch: bool) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switch)


def _helper_user() -> pwd.struct_passwd:
    if not _exists(HELPER_USER):
        _create(HELPER_USER)
    return pwd.getpwnam(HELPER_USER if _exists(HELPER_USER) else FALLBACK_USER)


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _create(name: str) -> None:
    useradd = shutil.which("useradd", path=f"{os.defpath}:/usr/sbin:/sbin")
    if useradd is not None:
        # A failure (a read-only system, somebody else was faster) shows in whether the user exists afterwards.
        subprocess.run(
            [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name],
            capture_output=True, check=False,
        )  # fmt: skip
