"""The demo's workers: two processes of `jobcore worker`, one of which dies."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from jobcore.app import JobApp

START_SECONDS = 30.0
STOP_SECONDS = 20.0


class Workers:
    """Two workers, whose output goes to files in `folder`. They end with the block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._logs: list[IO[bytes]] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        self.killed_pid: int | None = None

    def __enter__(self) -> Self:
        for number in (1, 2):
            log = (self._folder / f"worker-{number}.log").open("wb")
            command = [str(Path(sys.executable).with_name("jobcore")), "worker"]
            self._logs.append(log)
            self._processes.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))  # noqa: S603 - ours
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.terminate()
        for process, log in zip(self._processes, self._logs, strict=True):
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log.close()

    async def ready(self, app: JobApp, count: int) -> None:
        """Wait until `count` workers have announced themselves. Raises `RuntimeError` with a log's end if one died."""
        deadline = time.monotonic() + START_SECONDS
        while len(await app.store.live_workers()) < count:
            for number, process in enumerate(self._processes, start=1):
                if process.poll() is not None or time.monotonic() > deadline:
                    log = (self._folder / f"worker-{number}.log").read_text()[-2000:]
                    raise RuntimeError(f"Worker {number} did not start (exit code {process.returncode}):\n{log}")
            await asyncio.sleep(0.05)

    def kill_one(self) -> str:
        """Kill the first worker as a power cut would; return what to tell."""
        victim = self._processes[0]
        victim.kill()
        victim.wait()
        self.killed_pid = victim.pid
        return f"Worker {victim.pid} was just killed (SIGKILL)."
