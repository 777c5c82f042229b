"""Writes `docs/reference/cli.md` from the program's own help; run this file after a change of a command."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from jobcore.cli.exit_codes import MEANINGS
from jobcore.cli.main import app

PAGE = Path(__file__).parents[2] / "docs/reference/cli.md"
INTRODUCTION = """\
# Command line
`jobcore --help` and `jobcore COMMAND --help` say the same as this page. `--debug`, before the command, shows the
traceback of an error; `--version` the version.

- **Settings** come from environment variables and from `jobcore.toml`, or `[tool.jobcore]` of `pyproject.toml`, in the
  current folder: see [Settings](settings.md). Modules of handlers are looked for in the current folder first.
- **`--json`** prints one JSON document on standard output and nothing else. A command that fails prints
  `{"error": {"type", "message", "exit_code", ...}}` there. Instants are ISO 8601, durations are seconds, and the names
  of fields are those of the [tables](sql.md). Without it, tables are drawn on a terminal and are plain columns
  elsewhere.
- **Tenants** are UUIDs, or `system`. Commands for one job or one schedule take those of `system` unless `--tenant`
  names another; lists take all of them.
- **Durations** are seconds (`30`, `0.5`), or a whole number with a unit (`90s`, `5 minutes`, `24 hours`).
- **Instants** are ISO 8601 with a time zone: `2026-05-01T09:30:00+02:00`, `2026-05-01T07:30:00Z`.
- **Waiting** commands show a progress bar where standard error is a terminal.
- `dev` and `migrate` come with the distributions `jobcore-devkit` and `jobcore-postgres-storage`; other plugins may
  [bring commands](hooks.md) as well.

## Exit codes
| code | meaning |
|---|---|
"""


def render() -> str:
    """Return the page."""
    codes = "".join(f"| {code.value} | {meaning} |\n" for code, meaning in MEANINGS.items())
    return INTRODUCTION + codes + "".join(_section(words, command, context) for words, command, context in _commands())


def _commands() -> Iterator[tuple[str, Any, Any]]:
    root: Any = get_command(app)
    with root.make_context("jobcore", [], resilient_parsing=True) as context:
        yield from _below("jobcore", root, context)


def _below(words: str, group: Any, context: Any) -> Iterator[tuple[str, Any, Any]]:
    for name in group.list_commands(context):
        command: Any = group.get_command(context, name)
        with command.make_context(f"{words} {name}", [], parent=context, resilient_parsing=True) as own:
            yield f"{words} {name}", command, own
            if hasattr(command, "list_commands"):
                yield from _below(f"{words} {name}", command, own)


def _section(words: str, command: Any, context: Any) -> str:
    depth = "#" * len(words.split())
    lines = [f"\n{depth} {words}", *_paragraphs(command.help)]
    if items := [_item(parameter, context) for parameter in command.params if not parameter.hidden]:
        lines += ["", *items]
    return "\n".join(lines) + "\n"


def _paragraphs(text: str) -> list[str]:
    """Return the help as Markdown: the first paragraph, then the others after an empty line."""
    first, *others = [" ".join(part.split()) for part in inspect.cleandoc(text).split("\n\n")]
    return [first, *(line for part in others for line in ("", part))]


def _item(parameter: Any, context: Any) -> str:
    name, text = parameter.get_help_record(context)
    name = re.sub(r" <[^>]+>$", "", name.strip())
    return f"- `{name}`: {' '.join(text.split())}"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
