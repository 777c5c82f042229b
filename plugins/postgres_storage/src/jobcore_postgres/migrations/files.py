"""Migration files: `VERSION_name.up.sql` with its `.down.sql`, and `functions/*.sql`, made anew when they change."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from jobcore.errors import MigrationError

_UP = re.compile(r"(?P<version>\d+)_(?P<name>\w+)\.up\.sql")
_FUNCTION = re.compile(r"[a-z][a-z0-9_]*\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of a schema, and the way back."""

    version: str
    name: str
    up: str
    down: str

    @property
    def checksum(self) -> str:
        return checksum(self.up)

    def __str__(self) -> str:
        return f"{self.version}_{self.name}"


@dataclass(frozen=True, slots=True)
class FunctionFile:
    """One SQL function of the schema `jobcore`, named as its file; no two have one name."""

    name: str
    text: str

    @property
    def checksum(self) -> str:
        return checksum(self.text)


def checksum(text: str) -> str:
    """Return the first 16 hex digits of the text's SHA-256, line ends made one kind."""
    return sha256(text.replace("\r\n", "\n").encode()).hexdigest()[:16]


def load_migrations(folder: Path) -> tuple[Migration, ...]:
    """Read the migrations of a folder, in the order of their versions.

    Raises:
        MigrationError: if the folder or a way back is missing, a file's name says nothing, or two have one version.
    """
    if not folder.is_dir():
        raise MigrationError(
            f"The migrations' folder {folder} is missing: see [migrations] of the manifest, and the wheel."
        )
    found: dict[str, Migration] = {}
    for path in sorted(set(folder.glob("*.sql")) - set(folder.glob("*.down.sql"))):
        match = _UP.fullmatch(path.name)
        back = path.with_name(path.name.replace(".up.sql", ".down.sql"))
        if match is None or not back.exists():
            wanted = "is not named VERSION_name.up.sql" if match is None else f"has no {back.name} beside it"
            raise MigrationError(f"The migration {path} {wanted}.")
        if (version := match["version"]) in found:
            raise MigrationError(f"Two migrations in {folder} have the version {version}.")
        found[version] = Migration(version, match["name"], _read(path), _read(back))
    if sorted(found) != sorted(found, key=int):
        raise MigrationError(
            f"The migrations in {folder} are applied in the order of their names, in which 10 comes before 2: write "
            "versions of the same length, 0002 and 0010."
        )
    return tuple(found[version] for version in sorted(found))


def load_functions(folder: Path) -> tuple[FunctionFile, ...]:
    """Read `functions/*.sql` of a component's folder, by name."""
    paths = sorted(path for path in (folder / "functions").glob("*.sql") if _FUNCTION.fullmatch(path.name))
    return tuple(FunctionFile(path.stem, _read(path)) for path in paths)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
