"""The life of one `postgres` process: launched, waited for, signalled, gone."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jobcore_devkit._account import Account
from jobcore_devkit._logs import open_log, read_log
from jobcore_devkit._ports import LOOPBACK
from jobcore_devkit._postmaster import Postmaster, drop_stale_locks, is_postgres, running_postmaster
from jobcore_devkit.errors import ServerStartError, ServerStopError
from jobcore_devkit.installations import Installation

StopMode = Literal["fast", "immediate"]

LOG_FILE = "server.log"
START_SECONDS = 60.0
STOP_SECONDS = 60.0
POLL_SECONDS = 0.02  # PostgreSQL tells that it is ready in a file only, and a foreign process's end in no way at all
SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
PORT_TAKEN = "Address already in use"
STILL_DYING = "is still in use"  # the backends of a killed server have not noticed yet


@dataclass(frozen=True, slots=True)
class Launch:
    """All that a `postgres` process is started with."""

    data_dir: Path
    socket_dir: Path
    port: int
    installation: Installation
    account: Account
    settings: Mapping[str, str]

    def command(self) -> list[str | Path]:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": str(self.socket_dir),
            **self.settings,
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [self.installation.bin_dir / "postgres", "-D", self.data_dir, *options]


def launch(plan: Launch) -> subprocess.Popen[bytes]:
    """Start the process and wait until it accepts connections. Raises ServerStartError with the log's tail.

    The backends of a server that was killed a moment ago are waited for.
    """
    drop_stale_locks(plan.data_dir, plan.socket_dir)
    deadline = time.monotonic() + START_SECONDS
    while True:
        with open_log(plan.data_dir / LOG_FILE, plan.account) as log:
            before = log.tell()
            process = plan.account.spawn(plan.command(), log)
        if _wait_for_child(process, plan.data_dir, deadline):
            return process
        said = read_log(plan.data_dir / LOG_FILE, before)
        if STILL_DYING in said and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            continue
        raise ServerStartError(_what_failed(plan, process.returncode), said)


def wait_until_ready(data_dir: Path) -> Postmaster | None:
    """Wait for a server that somebody else is starting on this folder; None if it ended instead."""
    deadline = time.monotonic() + START_SECONDS
    while (running := running_postmaster(data_dir)) is not None:
        if running.ready:
            return running
        if time.monotonic() > deadline:
            raise ServerStartError(
                f"PostgreSQL on {data_dir} (process {running.pid}) runs but was not ready within {START_SECONDS:g} s.",
                log_tail(data_dir),
            )
        time.sleep(POLL_SECONDS)
    return None


def stop(pid: int, mode: StopMode, data_dir: Path) -> None:
    """Signal a server and wait until it is gone. Raises ServerStopError after 60 s."""
    try:
        os.kill(pid, SIGNALS[mode])
    except ProcessLookupError:
        return
    deadline = time.monotonic() + STOP_SECONDS
    while is_postgres(pid):
        if time.monotonic() > deadline:
            advice = "Close its clients, or stop it with mode='immediate'."
            raise ServerStopError(f"PostgreSQL on {data_dir}", pid, STOP_SECONDS, advice)
        time.sleep(POLL_SECONDS)


def log_tail(data_dir: Path, lines: int = 30) -> str:
    """The last lines of a server's log; empty if there is none."""
    return "\n".join(read_log(data_dir / LOG_FILE).splitlines()[-lines:])


def _wait_for_child(process: subprocess.Popen[bytes], data_dir: Path, deadline: float) -> bool:
    """Wait until the server is ready; False if it ended, or was killed because the time was up."""
    while process.poll() is None:
        running = running_postmaster(data_dir)
        if running is not None and running.pid == process.pid and running.ready:
            return True
        if time.monotonic() > deadline:
            process.send_signal(SIGNALS["immediate"])
            process.wait()
            return False
        time.sleep(POLL_SECONDS)
    return False


def _what_failed(plan: Launch, returncode: int) -> str:
    return (
        f"PostgreSQL {plan.installation.version} ({plan.installation.bin_dir}) did not start on {plan.data_dir}, "
        f"port {plan.port}, as user {plan.account.name!r}; it ended with code {returncode}."
    )
