"""A real Temporal of our own start: the development server of Temporal's own CLI, which comes as a wheel.

    with TemporalServer(Path("temporal.db")) as server:
        client = await Client.connect(server.address, namespace=server.namespace)

Everything here blocks. Temporal's SDK is not needed.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from jobcore_devkit._account import own_account
from jobcore_devkit._guard import Guard
from jobcore_devkit._logs import read_log
from jobcore_devkit._placement import temporary_folder
from jobcore_devkit._ports import LOOPBACK, free_port, is_free
from jobcore_devkit._temporal_process import LOG_FILE, PID_FILE, database_lock, launch
from jobcore_devkit._temporal_program import (
    HOW_TO_INSTALL,
    PROGRAM,
    ServerOptions,
    find_temporal,
    require_temporal,
    run_command,
)
from jobcore_devkit.errors import DevkitError, PortTakenError, ServerNotRunningError, ServerStartError, ServerStopError

__all__ = ["HOW_TO_INSTALL", "TemporalServer", "find_temporal"]

STOP_SECONDS = 30.0
PORTS_TRIED = 5
PORT_TAKEN = "address already in use"


class TemporalServer:
    """One Temporal server on the loopback interface; it ends with this process, even if that is killed.

    It runs as the user of this process, also as root, and lets in whoever can reach its port, as Temporal does.

    Args:
        database: the SQLite file that holds its state; created if absent, with its folder and a lock file beside it.
            None keeps the state in memory, where it grows by some 150 kB a workflow and ends with the process.
        port: the port of gRPC; 0 takes a free one and keeps it over restarts.
        namespace: the namespace of `self.namespace`, created if it is absent. `default` is always there as well.
        ui: whether to serve Temporal's web UI, at `ui_url`.
        ui_port: its port; 0 takes a free one and keeps it over restarts.
        search_attributes: what each start of a workflow may set, by name: `{"JobStatus": "Keyword"}`. The types are
            Text, Keyword, Int, Double, Bool, Datetime and KeywordList.
        dynamic_config: Temporal's dynamic configuration, values of JSON: `{"matching.enableFairness": True}`.
    """

    def __init__(
        self,
        database: Path | str | None = None,
        *,
        port: int = 0,
        namespace: str = "default",
        ui: bool = False,
        ui_port: int = 0,
        search_attributes: Mapping[str, str] | None = None,
        dynamic_config: Mapping[str, object] | None = None,
    ) -> None:
        self.database = Path(database).absolute() if database is not None else None
        self.namespace = namespace
        self._options = ServerOptions(self.database, namespace, search_attributes or {}, dynamic_config or {})
        self._port = port
        self._ui = ui
        self._ui_port = ui_port if ui else 0
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: Guard | None = None

    def start(self) -> None:
        """Start it and wait until it answers that it is healthy. Does nothing if it runs already.

        Raises BinariesNotFoundError, PortTakenError, DataFolderError (another server uses the database) or
        ServerStartError (with the log's tail).
        """
        if self.running:
            return
        program = require_temporal()
        if self._folder is None:
            self._folder = temporary_folder("jobcore-temporal-", own_account())
            self._guard = Guard(self._folder / PID_FILE, PROGRAM, signal.SIGKILL, self._folder)
        try:
            with database_lock(self.database) as locks:
                self._launch(program, self._folder, locks)
        except DevkitError:
            self.close()
            raise

    def stop(self) -> None:
        """Stop it in order, also if it is frozen, and wait until it is gone. Raises ServerStopError after 30 s."""
        if self._process is None:
            return
        self._process.terminate()
        self._process.send_signal(signal.SIGCONT)  # a frozen process hears of its end only then
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise ServerStopError("Temporal", self._process.pid, STOP_SECONDS, "End it with kill().") from None
        self._process = None

    def kill(self) -> None:
        """End it at once, as a crash would (SIGKILL), and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it stand still (SIGSTOP): connections stay open and new ones are made, but nothing answers."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on (SIGCONT)."""
        self._running().send_signal(signal.SIGCONT)

    def restart(self) -> None:
        """Stop and start, on the same port. What it held in memory is gone; a `database` keeps its state."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop it and delete its log. The database stays."""
        try:
            self.stop()
        finally:
            self.kill()
            if self._guard is not None:
                self._guard.release()
            self._guard = self._folder = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def create_namespace(self, name: str) -> None:
        """Create a namespace with the server's search attributes; it can be used at once. Takes some 0.2 s.

        Raises DevkitError if there is one of this name.
        """
        self._command("operator", "namespace", "create", "--namespace", name)
        attributes = self._options.search_attributes.items()
        if attributes:
            words = [word for attribute, kind in attributes for word in ("--name", attribute, "--type", kind)]
            self._command("operator", "search-attribute", "create", "--namespace", name, *words)

    @property
    def address(self) -> str:
        """Where a client connects, such as `127.0.0.1:7233`. Valid over restarts.

        Raises ServerNotRunningError before the first start.
        """
        if not self._port:
            raise ServerNotRunningError("Temporal has not been started; call start() first.")
        return f"{LOOPBACK}:{self._port}"

    @property
    def ui_url(self) -> str | None:
        """The address of the web UI; None without one, and before the first start."""
        return f"http://{LOOPBACK}:{self._ui_port}" if self._ui_port else None

    @property
    def running(self) -> bool:
        """Whether the server lives now, frozen or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id. Raises ServerNotRunningError if it does not run."""
        return self._running().pid

    @property
    def port(self) -> int:
        """The port of gRPC; 0 before the first start if none was given."""
        return self._port

    def log_tail(self, lines: int = 30) -> str:
        """Return the last lines of the server's log; empty before the first start and after `close()`."""
        return "\n".join(read_log(self._folder / LOG_FILE).splitlines()[-lines:]) if self._folder is not None else ""

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            raise ServerNotRunningError("Temporal does not run; call start() first.")
        return self._process

    def _command(self, *words: str) -> None:
        answer = run_command(require_temporal(), self.port, *words)
        if answer.returncode != 0:
            raise DevkitError(f"`temporal {' '.join(words)}` failed: {answer.stderr.strip()}")

    def _launch(self, program: Path, folder: Path, locks: Sequence[int]) -> None:
        """Launch on the fixed ports, or on free ones; another process may take those before the server does."""
        for port in filter(None, (self._port, self._ui_port)):
            if not is_free(port):
                raise PortTakenError("Temporal", port)
        for attempt in range(1, PORTS_TRIED + 1):
            port, ui_port = self._port or free_port(), self._ui_port or free_port()
            try:
                words = self._options.words(port, ui_port if self._ui else None)
                self._process = launch(program, words, port, folder, locks)
            except ServerStartError as error:
                if PORT_TAKEN not in error.log_tail or attempt == PORTS_TRIED:
                    raise
            else:
                self._port, self._ui_port = port, ui_port if self._ui else 0  # kept from now on: clients know them
                return
