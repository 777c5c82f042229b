"""A fleet of real workers: processes of `jobcore worker`, to be killed, stopped and watched."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from jobcore.app import JobApp

TESTS = Path(__file__).parents[1]
PATIENCE = 60.0


async def eventually(
    condition: Callable[[], Awaitable[object]], what: str, *, patience: float = PATIENCE, every: float = 0.02
) -> None:
    """Wait until `condition` is true; fail, naming `what`, after `patience` seconds."""
    deadline = time.monotonic() + patience
    while not await condition():
        assert time.monotonic() < deadline, f"waited {patience:g} s in vain for: {what}"
        await asyncio.sleep(every)


class Fleet:
    """Worker processes with one environment, and arguments of `jobcore worker`; all are gone when the block ends."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *arguments: str) -> None:
        self._folder = folder
        self._arguments = arguments
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(TESTS),
            "JOBCORE_HANDLERS": "support.chaos_jobs",
            **environment,
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def start_worker(self) -> subprocess.Popen[bytes]:
        """Start one more worker; does not wait until it is ready."""
        log = self._folder / f"worker-{len(self.processes) + 1}.log"
        command = [str(Path(sys.executable).with_name("jobcore")), "worker", *self._arguments]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, env=self._environment, cwd=self._folder, stdout=output, stderr=subprocess.STDOUT
            )
        self.processes.append(process)
        return process

    async def start(self, count: int, app: JobApp) -> None:
        """Start `count` workers and wait until all of them have announced themselves."""
        started = {self.start_worker().pid for _ in range(count)}

        async def announced() -> bool:
            self.assert_alive(*started)
            return started <= {worker.pid for worker in await app.store.live_workers()}

        await eventually(announced, f"{count} workers announce themselves")

    def assert_alive(self, *pids: int) -> None:
        """Fail with a worker's last words if one of these processes ended."""
        for number, process in enumerate(self.processes, start=1):
            if process.pid in pids and process.poll() is not None:
                log = (self._folder / f"worker-{number}.log").read_text()[-4000:]
                raise AssertionError(f"worker {number} ended with code {process.returncode}:\n{log}")

    def log_of(self, process: subprocess.Popen[bytes]) -> str:
        return (self._folder / f"worker-{self.processes.index(process) + 1}.log").read_text()

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL, as a power cut would."""
        process.send_signal(signal.SIGKILL)
        process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
