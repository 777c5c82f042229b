"""The servers behind `jobcore dev`: one command, no set-up, data kept in a folder.

Everything here blocks.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from jobcore_devkit._migrations import migrate
from jobcore_devkit._temporal_process import lock_of
from jobcore_devkit.postgres import PostgresServer
from jobcore_devkit.temporal import TemporalServer

__all__ = ["DATABASE", "DevEnvironment", "in_use", "temporal_in_use"]

DATABASE = "jobcore"
IGNORE_ALL = "*\n"
USERS_LOCK = "users.lock"
TEMPORAL_DATABASE = "temporal.db"


class DevEnvironment:
    """A server whose data stays in a folder, with the migrated database `jobcore`, and a Temporal beside it if wanted.

    Several processes may use one folder at once (`jobcore dev` in two terminals): the first starts the server, the
    others attach to it, and the last to stop stops it. After a kill the next `start()` takes over what still runs.
    Temporal belongs to the one process that asked for it.

    Args:
        folder: where the data is kept; created if absent, with a `.gitignore` that keeps it out of version control.
        port: the loopback port; 0 takes a free one. A server that runs already keeps its own.
        migrator: what migrates the database, given its DSN; by default all migrations of the installed plugins.
        temporal: whether to run a Temporal with its web UI as well, as `self.temporal`; its state stays in the folder.
    """

    def __init__(
        self,
        folder: Path | str = Path(".jobcore"),
        *,
        port: int = 0,
        migrator: Callable[[str], object] = migrate,
        temporal: bool = False,
    ) -> None:
        self.folder = Path(folder)
        self.server = PostgresServer(self.folder / "postgres", port=port)
        self.temporal = TemporalServer(self.folder / TEMPORAL_DATABASE, ui=True) if temporal else None
        self._migrator = migrator
        self._user_lock: int | None = None

    def start(self) -> None:
        """Start the servers or attach to PostgreSQL, create the database if it is absent, and migrate it.

        Raises jobcore_devkit.errors.DevkitError if a server does not start, jobcore.errors.MigrationError if the
        database cannot be migrated; the servers are stopped again then.
        """
        self._make_folder()
        self._count_in()
        try:
            if self.temporal is not None:
                self.temporal.start()
            self.server.start()
            self._create_database()
            self._migrator(self.dsn())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop Temporal; leave, and stop the server if nobody else uses the folder."""
        if self._user_lock is None:
            return
        descriptor, self._user_lock = self._user_lock, None
        with ExitStack() as last_first:
            last_first.callback(os.close, descriptor)
            if _is_last(descriptor):
                last_first.callback(self.server.close)
            if self.temporal is not None:
                last_first.callback(self.temporal.close)

    def dsn(self, *, tcp: bool = False) -> str:
        """The libpq URL of the database `jobcore`: by the socket, or by loopback TCP with its password in it."""
        return self.server.dsn(DATABASE, tcp=tcp)

    def variables(self) -> dict[str, str]:
        """The environment variables with which jobs run on the Temporal here, after `start()`; none without one."""
        if self.temporal is None:
            return {}
        return {
            "EDITION": "enterprise",
            "JOB_RUNNER_TYPE": "temporal",
            "TEMPORAL_ADDRESS": self.temporal.address,
            "TEMPORAL_NAMESPACE": self.temporal.namespace,
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _create_database(self) -> None:
        # Imported here because the driver is heavy, and whoever lists plugins imports this package.
        from jobcore_devkit.databases import create_database, database_exists

        if not database_exists(self.server, DATABASE):
            create_database(self.server, DATABASE)

    def _make_folder(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        ignore = self.folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text(IGNORE_ALL)

    def _count_in(self) -> None:
        """Hold a shared lock as long as we use the folder; the system drops it when we end, however we end."""
        if self._user_lock is None:
            self._user_lock = os.open(self.folder / USERS_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._user_lock, fcntl.LOCK_SH)


def in_use(folder: Path) -> bool:
    """Say whether a `DevEnvironment` runs on the folder now; one that was killed does not count."""
    return _is_locked(folder / USERS_LOCK)


def temporal_in_use(folder: Path) -> bool:
    """Say whether the Temporal of a `DevEnvironment` runs on the folder now."""
    return _is_locked(lock_of(folder / TEMPORAL_DATABASE))


def _is_locked(file: Path) -> bool:
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _is_last(descriptor)
    finally:
        os.close(descriptor)


def _is_last(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
