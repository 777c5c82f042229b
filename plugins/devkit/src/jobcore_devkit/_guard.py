"""The owner's handle on the guard of an ephemeral server."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from jobcore_devkit import _guard_script
from jobcore_devkit.errors import DevkitError


class Guard:
    """A small process that stops a server and deletes folders when this process ends, however it ends."""

    def __init__(self, pid_file: Path, program: str, stop_signal: signal.Signals, *folders: Path) -> None:
        # Isolated and without site-packages: it starts in milliseconds and holds no more memory than it must.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", _guard_script.__file__, pid_file, program, str(stop_signal.value), *folders],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True, cwd="/",
        )  # fmt: skip

    def release(self) -> None:
        """Let the guard do its work now. Blocks until it has. Raises DevkitError if it failed."""
        self._process.communicate()
        if self._process.returncode != 0:
            raise DevkitError(f"The clean-up of an ephemeral server failed with code {self._process.returncode}.")
