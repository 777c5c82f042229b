"""A real PostgreSQL of our own start: a data folder, a process, a Unix socket and a loopback port.

    with PostgresServer(Path(".jobcore/postgres")) as server:
        psycopg.connect(server.dsn())

Everything here blocks.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from jobcore_devkit._account import Account, server_account
from jobcore_devkit._cluster import SUPERUSER, cluster_version, create_cluster, superuser_password
from jobcore_devkit._dsn import build_dsn
from jobcore_devkit._guard import Guard
from jobcore_devkit._placement import place_binaries, place_data, socket_folder, temporary_folder
from jobcore_devkit._ports import free_port
from jobcore_devkit._postmaster import PID_FILE, PROGRAM, is_postgres
from jobcore_devkit._process import PORT_TAKEN, SIGNALS, Launch, StopMode, launch, log_tail, stop, wait_until_ready
from jobcore_devkit.errors import PortTakenError, ServerNotRunningError, ServerStartError
from jobcore_devkit.installations import Installation, choose_installation, find_installations

__all__ = ["Installation", "PostgresServer", "StopMode", "find_installations"]

PORTS_TRIED = 5
UNDURABLE = {"fsync": "off", "full_page_writes": "off"}


class PostgresServer:
    """One PostgreSQL server on one data folder.

    Args:
        data_dir: the folder of its data; created if absent, reused if it holds a cluster. For root, when the server's
            ordinary user cannot pass one of its parents (a clone in `/root`), the data goes to a new folder under
            `/var/lib/jobcore`, a symbolic link is left at `data_dir`, and programs that this user cannot start are
            copied there; no permission of an existing folder is widened. `self.data_dir` is the real folder, and
            deleting the link leaves it in place.
        port: the loopback port; 0 takes a free one and keeps it over restarts.
        bin_dir: PostgreSQL's programs; by default the first of `find_installations()` that fits the data.
        settings: PostgreSQL settings by name, in force over all others (`{"max_connections": "200"}`).
        durable: False turns fsync off, for tests: a crash of the server still loses no commit, one of the machine may.
        ephemeral: the server and its folder live no longer than this process, even if it is killed. Otherwise the
            server outlives a process that ends without `stop()`, and the next `start()` attaches to it.

    Whoever can open the socket is trusted as any role: its folder lets in the server's user and root only. TCP asks
    for a password (SCRAM-SHA-256); that of the superuser is made up with the cluster and put into `dsn(tcp=True)`.
    """

    def __init__(
        self,
        data_dir: Path | str,
        *,
        port: int = 0,
        bin_dir: Path | str | None = None,
        settings: Mapping[str, str] | None = None,
        durable: bool = True,
        ephemeral: bool = False,
    ) -> None:
        self.data_dir = Path(data_dir)
        self._port = port
        self._bin_dir = Path(bin_dir) if bin_dir is not None else None
        self._settings = {**({} if durable else UNDURABLE), **(settings or {})}
        self._durable = durable
        self._ephemeral = ephemeral
        self._scratch: tuple[Path, ...] = ()
        self._installation: Installation | None = None
        self._socket_dir: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None
        self._guard: Guard | None = None

    @classmethod
    def temporary(
        cls,
        *,
        port: int = 0,
        bin_dir: Path | str | None = None,
        settings: Mapping[str, str] | None = None,
        durable: bool = False,
    ) -> PostgresServer:
        """Make an ephemeral server in a new temporary folder; start it with `start()` or `with`.

        One that is not durable keeps its data in memory where Linux offers 2 GiB of it as a folder (/dev/shm).
        """
        folder = temporary_folder("jobcore-pg-", server_account(), in_memory=not durable)
        server = cls(folder / "data", port=port, bin_dir=bin_dir, settings=settings, durable=durable, ephemeral=True)
        server._scratch = (folder,)
        return server

    def start(self) -> None:
        """Start the server, or attach to the one that runs on this folder, with its port and its settings.

        Does nothing if it runs already. Raises PortTakenError, ServerStartError (with the log's tail), DataFolderError
        or BinariesNotFoundError.
        """
        if self.running:
            return
        account = server_account(self.data_dir)
        self.data_dir = place_data(self.data_dir, account)
        with _exclusive(self.data_dir):
            if not self._attach():
                self._create_and_launch(account)

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop the server and wait until it is gone, also if this object had only attached to it.

        `fast` ends all connections and writes a checkpoint; `immediate` drops everything, as a crash would.
        Raises ServerStopError after 60 s.
        """
        if self._pid is not None and is_postgres(self._pid):
            stop(self._pid, mode, self.data_dir)
        if self._process is not None:
            self._process.wait()
        self._pid = self._process = None

    def restart(self, mode: StopMode = "fast") -> None:
        """Stop and start, on the same socket and port."""
        self.stop(mode)
        self.start()

    def close(self) -> None:
        """Stop the server; an ephemeral one also loses its folder."""
        self.stop()
        if self._guard is not None:
            self._guard.release()
            self._guard = None
        elif self._socket_dir is not None and self._socket_dir != self.data_dir and self._socket_dir.exists():
            self._socket_dir.rmdir()
        self._socket_dir = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def dsn(
        self, database: str = "postgres", *, user: str = SUPERUSER, password: str | None = None, tcp: bool = False
    ) -> str:
        """Return a libpq URL, through the socket or through loopback TCP. Valid over restarts.

        Only `tcp=True` needs a password; for the superuser it is filled in. Raises ServerNotRunningError before the
        first start.
        """
        if self._socket_dir is None:
            raise ServerNotRunningError(f"PostgreSQL on {self.data_dir} has not been started; call start() first.")
        if tcp and password is None and user == SUPERUSER:
            password = superuser_password(self.data_dir)
        return build_dsn(None if tcp else self._socket_dir, self._port, database, user, password)

    @property
    def running(self) -> bool:
        """Whether the server lives now."""
        return self._pid is not None and is_postgres(self._pid)

    @property
    def pid(self) -> int:
        """The process id of the server's first process. Raises ServerNotRunningError if it does not run."""
        if self._pid is None or not is_postgres(self._pid):
            raise ServerNotRunningError(f"PostgreSQL on {self.data_dir} does not run; call start() first.")
        return self._pid

    @property
    def port(self) -> int:
        """The loopback port; 0 before the first start if none was given."""
        return self._port

    @property
    def socket_dir(self) -> Path | None:
        """The folder of the Unix socket; None before the first start."""
        return self._socket_dir

    @property
    def version(self) -> str:
        """The version of the programs, such as `18.6`."""
        return self._chosen().version

    @property
    def bin_dir(self) -> Path:
        """The folder of PostgreSQL's programs in use, also for `psql` or `pg_dump`."""
        return self._chosen().bin_dir

    def log_tail(self, lines: int = 30) -> str:
        """Return the last lines of the server's log; empty if there is none yet."""
        return log_tail(self.data_dir, lines)

    def _chosen(self) -> Installation:
        if self._installation is None:
            self._installation = choose_installation(self._bin_dir, cluster_version(self.data_dir))
        return self._installation

    def _attach(self) -> bool:
        """Take over the server that runs on the folder, if there is one."""
        running = wait_until_ready(self.data_dir)
        if running is None:
            return False
        self._pid, self._port, self._socket_dir = running.pid, running.port, running.socket_dir
        return True

    def _create_and_launch(self, account: Account) -> None:
        version = cluster_version(self.data_dir)
        installation = place_binaries(choose_installation(self._bin_dir, version), account)
        socket_dir = self._socket_dir or socket_folder(self.data_dir, account)
        self._installation, self._socket_dir = installation, socket_dir
        if self._ephemeral and self._guard is None:
            pid_file = self.data_dir / PID_FILE
            self._guard = Guard(pid_file, PROGRAM, SIGNALS["immediate"], self.data_dir, socket_dir, *self._scratch)
        if version is None:
            create_cluster(self.data_dir, installation, account, durable=self._durable)
        self._launch(Launch(self.data_dir, socket_dir, self._port, installation, account, self._settings))

    def _launch(self, plan: Launch) -> None:
        """Launch on the fixed port, or on a free one; another process may take that before the server does."""
        for attempt in range(1, PORTS_TRIED + 1):
            port = self._port or free_port()
            try:
                self._process = launch(replace(plan, port=port))
            except ServerStartError as error:
                if PORT_TAKEN not in error.log_tail:
                    raise
                if self._port or attempt == PORTS_TRIED:
                    raise PortTakenError("PostgreSQL", port) from error
            else:
                self._port = port  # kept from now on: connection strings name it
                self._pid = self._process.pid
                return


@contextmanager
def _exclusive(folder: Path) -> Generator[None]:
    """Let one process at a time create and start a cluster beside others; the lock ends with the process."""
    descriptor = os.open(folder.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
