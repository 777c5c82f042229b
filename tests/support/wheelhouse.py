"""Builds the wheels of this checkout, and environments that hold them and nothing else of ours. No index is asked."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = "jobcore"
ROOT_DISTRIBUTION = "jobcore"


def distributions() -> dict[str, Path]:
    """Return the folder of each distribution of the checkout, by name; the root, which holds no code, comes last."""
    folders = [ROOT / "core", *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
    named = {f"jobcore-{folder.name.replace('_', '-')}": folder for folder in folders}
    return {**named, ROOT_DISTRIBUTION: ROOT}


def build_wheel(project: Path, into: Path, *, epoch: int | None = None) -> None:
    """Build the wheel of one project with the build back end that is installed here. Blocks for about a second.

    Args:
        epoch: the time of every file in the wheel, in seconds since 1970; with it, the wheel is the same on every run.
    """
    environment = os.environ if epoch is None else {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into.resolve())]
    run(command, cwd=project, env=environment)


def build_wheels(into: Path, *, epoch: int | None = None) -> list[Path]:
    """Build the wheels of all distributions of the checkout, and return their paths."""
    into.mkdir(parents=True, exist_ok=True)
    for project in distributions().values():
        build_wheel(project, into, epoch=epoch)
    return sorted(into.glob("*.whl"))


@dataclass(frozen=True)
class Environment:
    """A virtual environment with third-party packages of this one, and with none of ours until one is installed."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> Environment:
        """Make the environment. Its third-party packages are links to those of the running environment."""
        run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
        made = cls(folder)
        third_party = folder / "third-party"
        link_third_party(third_party)
        (made.site_packages / "third-party.pth").write_text(f"{third_party}\n", encoding="utf-8")
        return made

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def site_packages(self) -> Path:
        return Path(sysconfig.get_path("purelib", "venv", vars={"base": str(self.folder)}))

    def install(self, *requirements: str, wheels: Path) -> str:
        """Install from a folder of wheels, with every index forbidden; return what pip said.

        Third-party requirements must be met already: there is nowhere to get them from.
        """
        pip = [sys.executable, "-m", "pip", "--isolated", "--python", str(self.bin / "python"), "install"]
        return run([*pip, "--no-index", "--find-links", str(wheels), *requirements]).stdout

    def run(
        self, *command: str, cwd: Path, env: Mapping[str, str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, which sees no variable of ours but those in `env`."""
        return run([str(self.bin / command[0]), *command[1:]], cwd=cwd, env=self.variables(env), check=check)

    def variables(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return environment variables in which this environment is active, and nothing of jobcore is configured."""
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR", "TZ") if name in os.environ}
        path = f"{self.bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        return {**kept, "PATH": path, "VIRTUAL_ENV": str(self.folder), **(more or {})}


def link_third_party(folder: Path) -> None:
    """Link every package of the running environment that is not ours; editable installs and start-up files stay out."""
    folder.mkdir()
    for name in dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))):
        for entry in Path(name).iterdir():
            if not entry.name.startswith((OURS, "__pycache__")) and entry.suffix != ".pth":
                (folder / entry.name).symlink_to(entry)


def run(
    command: list[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a command; what it printed is in the error if it fails."""
    done = subprocess.run(command, cwd=cwd, env=env, check=False, capture_output=True, text=True)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done
