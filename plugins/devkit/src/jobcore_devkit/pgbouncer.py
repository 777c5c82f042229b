"""PgBouncer in front of a server of ours, to test what a transaction pool does to a program.

Everything here blocks.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from jobcore_devkit._account import Account, server_account
from jobcore_devkit._cluster import SUPERUSER, superuser_password
from jobcore_devkit._dsn import build_dsn
from jobcore_devkit._guard import Guard
from jobcore_devkit._logs import open_log, read_log
from jobcore_devkit._placement import temporary_folder
from jobcore_devkit._ports import LOOPBACK, free_port
from jobcore_devkit.errors import BinariesNotFoundError, ServerNotRunningError, ServerStartError
from jobcore_devkit.postgres import PostgresServer

__all__ = ["HOW_TO_INSTALL", "PgBouncer", "PoolMode", "find_pgbouncer"]

PoolMode = Literal["session", "transaction", "statement"]

HOW_TO_INSTALL = "apt-get install pgbouncer"
PROGRAM = "pgbouncer"
START_SECONDS = 20.0
POLL_SECONDS = 0.02
ROLES = "SELECT usename, passwd FROM pg_catalog.pg_shadow WHERE usename = $1"
ENTRY_RULES = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


def find_pgbouncer() -> Path | None:
    """Return the `pgbouncer` program on PATH or in the system's folders; None if it is not installed."""
    found = shutil.which(PROGRAM, path=os.pathsep.join((*os.get_exec_path(), "/usr/sbin", "/usr/local/sbin")))
    return Path(found) if found else None


class PgBouncer:
    """One PgBouncer for all databases and roles of a server; it ends with this process, even if that is killed.

    Args:
        server: the server behind it, already started; it is reached through its socket.
        pool_mode: when a server connection goes back to the pool: after the session, the transaction or the statement.
        pool_size: how many server connections there are for each pair of database and role.
        settings: further settings of its `[pgbouncer]` section, in force over ours.

    As with the server, its socket trusts and its folder lets in its user and root only; TCP asks for the role's
    password (SCRAM-SHA-256).
    """

    def __init__(
        self,
        server: PostgresServer,
        *,
        pool_mode: PoolMode = "transaction",
        pool_size: int = 20,
        port: int = 0,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._server = server
        self._port = port
        self._settings = {"pool_mode": pool_mode, "default_pool_size": str(pool_size), **(settings or {})}
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None

    def start(self) -> None:
        """Start it and wait until it listens. Raises BinariesNotFoundError or ServerStartError (with the log)."""
        if self._process is not None:
            return
        program = find_pgbouncer()
        if program is None:
            raise BinariesNotFoundError(f"PgBouncer is not installed on this machine. Install it: {HOW_TO_INSTALL}")
        account = server_account(self._server.data_dir)
        self._port = self._port or free_port()
        self._folder = folder = temporary_folder("jobcore-pgb-", account)
        self._guard = Guard(folder / "pid", PROGRAM, signal.SIGKILL, folder)
        self._configure(folder, account)
        with open_log(folder / "log", account) as log:
            self._process = account.spawn([program, folder / "pgbouncer.ini"], log)
        self._wait_until_it_listens(self._process, folder)

    def stop(self) -> None:
        """End it at once, with all connections through it, and delete its folder. It holds no state."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._guard is not None:
            self._guard.release()
            self._guard = None
        self._folder = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def dsn(
        self, database: str = "postgres", *, user: str = SUPERUSER, password: str | None = None, tcp: bool = False
    ) -> str:
        """Return a libpq URL through the pool, by its socket or by loopback TCP, as `PostgresServer.dsn` does."""
        if tcp and password is None and user == SUPERUSER:
            password = superuser_password(self._server.data_dir)
        return build_dsn(None if tcp else self._running_folder(), self._port, database, user, password)

    @property
    def pid(self) -> int:
        """The process id. Raises ServerNotRunningError if it does not run."""
        if self._process is None or self._process.poll() is not None:
            raise ServerNotRunningError("PgBouncer does not run; call start() first.")
        return self._process.pid

    @property
    def port(self) -> int:
        """The loopback port; 0 before the first start if none was given."""
        return self._port

    def log_tail(self, lines: int = 30) -> str:
        """Return the last lines of its log."""
        return "\n".join(read_log(self._running_folder() / "log").splitlines()[-lines:])

    def _running_folder(self) -> Path:
        if self._folder is None:
            raise ServerNotRunningError("PgBouncer has not been started; call start() first.")
        return self._folder

    def _configure(self, folder: Path, account: Account) -> None:
        settings = {
            "listen_addr": LOOPBACK,
            "listen_port": str(self._port),
            "unix_socket_dir": str(folder),
            "pidfile": str(folder / "pid"),
            "auth_type": "hba",
            "auth_hba_file": str(folder / "hba"),
            "auth_file": str(folder / "users"),
            "auth_user": SUPERUSER,
            "auth_query": ROLES,
            "admin_users": SUPERUSER,
            "server_login_retry": "0.1",  # a server that restarts is back in less than the usual 15 s
            **self._settings,
        }
        lines = "\n".join(f"{name} = {value}" for name, value in settings.items())
        backend = f"* = host={self._server.socket_dir} port={self._server.port}"
        _write(folder / "hba", ENTRY_RULES, account)
        _write(folder / "users", f'"{SUPERUSER}" "{superuser_password(self._server.data_dir) or ""}"\n', account)
        _write(folder / "pgbouncer.ini", f"[databases]\n{backend}\n[pgbouncer]\n{lines}\n", account)

    def _wait_until_it_listens(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not (_listens(self._port) and _answers(folder / f".s.PGSQL.{self._port}")):
            if process.poll() is not None or time.monotonic() > deadline:
                said = read_log(folder / "log")
                self.stop()
                raise ServerStartError(f"PgBouncer did not start on port {self._port}.", said)
            time.sleep(POLL_SECONDS)


def _write(path: Path, content: str, account: Account) -> None:
    path.touch(mode=0o600)
    path.write_text(content)
    account.own(path)


def _listens(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0
