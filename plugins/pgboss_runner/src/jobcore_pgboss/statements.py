"""SQL statements by name: one statement a file, in the folder `sql` of this package."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import LiteralString, cast


@cache
def statement(name: str) -> LiteralString:
    """Return the text of `sql/NAME.sql`, read once. Raises `FileNotFoundError` for a name that is not there."""
    text = files("jobcore_pgboss").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    return cast("LiteralString", text)
