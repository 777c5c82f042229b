"""`jobcore init`: a settings file and a first handler that runs."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from jobcore.cli import output
from jobcore.cli.errors import UsageError
from jobcore.cli.options import AsJson

app = typer.Typer(add_completion=False, rich_markup_mode=None)

FILES = ("jobcore.toml", "jobs.py")


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write; made if it is not there.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Write a settings file and a first handler that runs.

    The files are jobcore.toml and jobs.py, in FOLDER. Nothing is overwritten: if one of the two is there, nothing is
    written at all.
    """
    targets = [folder / name for name in FILES]
    _refuse_to_overwrite(folder, targets)
    folder.mkdir(parents=True, exist_ok=True)
    for target in targets:
        with target.open("x", encoding="utf-8") as file:
            file.write(_template(target.name))
    if as_json:
        output.show_document({"written": [str(target) for target in targets]})
        return
    for target in targets:
        output.show_line(f"Wrote {target}")
    output.show_line()
    for line in _next_steps(folder):
        output.show_line(line)


def _refuse_to_overwrite(folder: Path, targets: list[Path]) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: name a folder.")
    if present := [str(target) for target in targets if target.exists()]:
        raise UsageError(f"{' and '.join(present)} is there already, so nothing was written: name another folder.")


def _template(name: str) -> str:
    return (files("jobcore.cli") / "templates" / f"{name}.txt").read_text(encoding="utf-8")


def _next_steps(folder: Path) -> list[str]:
    enter = [] if folder.resolve() == Path.cwd() else [f"  cd {folder}"]
    return [
        "Next, with a database of its own (distribution jobcore-devkit):",
        *enter,
        "  jobcore dev",
        "Or with yours: set DATABASE_URL, then",
        "  jobcore migrate up",
        "  jobcore worker",
    ]
