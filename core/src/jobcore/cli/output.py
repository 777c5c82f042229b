"""What commands print: tables for people, or one JSON document for programs.

With `--json` standard output holds that document and nothing else, also when the command fails. Text that jobs or
plugins brought is shown without control characters, so that it cannot take over a terminal.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import typer

from jobcore.cli.errors import Failure

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def show_document(document: Any) -> None:
    """Print the one JSON document of this command."""
    from jobcore.cli.documents import to_json

    typer.echo(to_json(document))


def show_line(text: str = "") -> None:
    """Print a line for people."""
    typer.echo(printable(text))


def note(text: str) -> None:
    """Print a line for people beside the result, on standard error."""
    typer.echo(printable(text), err=True)


def show_failure(failure: Failure, *, as_json: bool) -> None:
    """Tell why the command failed."""
    if as_json:
        show_document(failure.as_document())
        return
    note(f"Error: {failure.message}")
    if failure.hint:
        note(failure.hint)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str) -> None:
    """Print a table: drawn on a terminal, plain columns elsewhere; `empty` if it has no rows."""
    cells = [[_cell(value) for value in row] for row in rows]
    if not cells:
        show_line(empty)
    elif sys.stdout.isatty():
        _draw_table(columns, cells)
    else:
        _print_columns(columns, cells)


def show_fields(fields: Iterable[tuple[str, Any]]) -> None:
    """Print names and values, one a line; those without a value are left out."""
    shown = [(name, _cell(value)) for name, value in fields if value not in (None, "", {}, [], ())]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        first, *others = value.split("\n")
        show_line(f"{name:<{width}}  {first}")
        for line in others:
            show_line(f"{'':<{width}}  {line}")


def printable(text: str) -> str:
    """Return `text` with control characters shown as escapes; line ends and tabs stay."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def shown_duration(duration: timedelta) -> str:
    """Return a duration for people: `90 s`, `24 hours`, `30 days`, `2:30:07`."""
    seconds = duration.total_seconds()
    if seconds < 120:
        return f"{seconds:g} s"
    for unit, length, least in (("days", 86_400, 2), ("hours", 3_600, 2), ("minutes", 60, 1)):
        count, rest = divmod(seconds, length)
        if not rest and count >= least:
            return f"{count:g} {unit}"
    return str(duration)


def _cell(value: Any) -> str:
    match value:
        case None:
            text = ""
        case bool():
            text = "yes" if value else "no"
        case datetime():
            text = value.astimezone(UTC).isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")
        case timedelta():
            text = shown_duration(value)
        case float():
            text = f"{value:g}"
        case dict() | list() | tuple():
            from jobcore.cli.documents import to_json

            text = to_json(value, indent=False)
        case _:
            text = str(value)
    return printable(text)


def _draw_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def _print_columns(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    lines = [list(columns), *([cell.replace("\n", " ") for cell in row] for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        show_line("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())
