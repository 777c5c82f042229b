"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NoReturn
from uuid import UUID

import typer

from jobcore.cli.errors import UsageError

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, also when the command fails.")]

AppName = Annotated[
    str | None,
    typer.Option(
        "--app",
        metavar="MODULE:ATTRIBUTE",
        help="Take this JobApp, or the one that this function returns, instead of making one from the settings.",
    ),
]

Tenant = Annotated[
    str, typer.Option("--tenant", metavar="UUID|system", help="Whose it is: a tenant's id, or 'system'.")
]

AnyTenant = Annotated[
    str,
    typer.Option("--tenant", metavar="UUID|system|all", help="Whose: a tenant's id, 'system', or 'all' tenants."),
]

JobId = Annotated[UUID, typer.Argument(metavar="JOB", help="The job's id.")]

Timeout = Annotated[
    str | None,
    typer.Option(
        "--timeout",
        metavar="DURATION",
        help="Wait no longer than this, such as 30 (seconds) or '5 minutes'. The job itself goes on.",
    ),
]

Data = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="JSON|@FILE|-",
        help="The payload: a JSON object, @FILE with one, or - for standard input.",
    ),
]


def tenant_or_all(text: str) -> str | None:
    """Return a tenant's name; nothing for all of them."""
    return None if text == "all" else text


def read_data(text: str | None) -> dict[str, Any] | None:
    """Return the payload that `--data` gives. Blocks for a file or for standard input.

    Raises:
        UsageError: if it cannot be read, is no JSON, or is no object.
    """
    if text is None:
        return None
    source, content = _content(text)
    try:
        value = json.loads(content, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{source} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}. "
            'Mind the shell\'s quotes: --data \'{"name": "Ada"}\'.'
        ) from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{source} is not JSON that can be stored: {error}.") from None
    if not isinstance(value, dict):
        raise UsageError(f'{source} must be a JSON object, such as {{"name": "Ada"}}, not {_kind(value)}.')
    return value  # pyright: ignore[reportUnknownVariableType] - an object's keys are text


def read_duration(option: str, text: str | None) -> timedelta | None:
    """Return the duration of `30` or `0.5` (seconds), `90s` or `5 minutes`.

    Raises:
        UsageError, InvalidScheduleError: if it is none.
    """
    if text is None:
        return None
    try:
        return timedelta(seconds=float(text))
    except OverflowError:
        raise UsageError(f"{option} {text!r} is too long.") from None
    except ValueError:
        pass
    from jobcore.policies.intervals import parse_interval

    return parse_interval(text)


def read_instant(option: str, text: str | None) -> datetime | None:
    """Return the instant of an ISO 8601 text; whether it may lack a time zone is for the caller to say.

    Raises:
        UsageError: if it is none.
    """
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option} {text!r} is no date and time: write it as 2026-05-01T09:30:00+02:00, or with Z for UTC."
        ) from None


def read_since(text: str | None) -> datetime | None:
    """Return the instant that `--since` means: a date and time, or a duration back from now.

    Raises:
        NaiveDatetimeError: if it has no time zone.
        UsageError, InvalidScheduleError: if it is neither.
    """
    if text is None:
        return None
    if text[:4].isdigit() and "-" in text:
        from jobcore.policies.wallclock import aware

        instant = read_instant("--since", text)
        return None if instant is None else aware(instant)
    back = read_duration("--since", text)
    return None if back is None else datetime.now(UTC) - back


def _content(text: str) -> tuple[str, str]:
    if text == "-":
        return "Standard input", sys.stdin.read()
    if not text.startswith("@"):
        return "--data", text
    try:
        return f"The file {text[1:]}", Path(text[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--data names the file {text[1:]!r}, which cannot be read: {error}.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"JSON has no {name}")


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    kinds = ((list, "an array"), (str, "a string"), (bool, "a truth value"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "a number")
