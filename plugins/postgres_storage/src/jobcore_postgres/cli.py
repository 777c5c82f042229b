"""`jobcore migrate`: bring the schema up to date, take it back, look at it, or print it for an administrator.

The driver is loaded when a command runs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobcore.cli import output
from jobcore.cli.errors import UsageError
from jobcore.cli.exit_codes import ExitCode
from jobcore.cli.options import AsJson

if TYPE_CHECKING:
    from jobcore_postgres.migrations import MigrationStatus

app = typer.Typer(add_completion=False, rich_markup_mode=None)

AsSql = Annotated[bool, typer.Option("--sql", help="Print the script for psql instead of running it.")]


@app.callback(invoke_without_command=True)
def migrate(context: typer.Context, as_sql: AsSql = False, as_json: AsJson = False) -> None:
    """Migrate the database: up, down, status, or as SQL.

    All installed plugins with a schema take part. Without a command it is `up`. It needs the server itself, not a
    pooler, and a login that may create roles, or for which the roles exist. It may be killed at any point and run
    again; several at once wait for each other.
    """
    if context.invoked_subcommand is None:
        up(as_sql=as_sql, as_json=as_json)
    elif as_sql or as_json:
        raise UsageError(f"Write the options behind the command: jobcore migrate {context.invoked_subcommand} …")


@app.command()
def up(as_sql: AsSql = False, as_json: AsJson = False) -> None:
    """Apply all migrations that wait, each in a transaction of its own."""
    if as_sql:
        return sql(empty=False)
    from jobcore_postgres.migrations import migrate as apply_all
    from jobcore_postgres.migrations import status as read_status

    applied = apply_all(_dsn())
    _show_changes("applied", applied, "The schema is up to date.", as_json=as_json)
    if not as_json:
        _tell_changed(read_status(_dsn()))
    return None


@app.command()
def down(
    component: Annotated[
        str, typer.Argument(metavar="COMPONENT", help="Whose migrations; `migrate status` lists them.")
    ],
    to: Annotated[str, typer.Option(metavar="VERSION", help="The version to go back to; 0 takes all of them back.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take back the migrations of COMPONENT after VERSION.

    What they hold is lost: tables go with their rows.
    """
    _confirm(component, to, yes=yes)
    from jobcore_postgres.migrations import down as take_back

    _show_changes("taken_back", take_back(_dsn(), component, to), "There is nothing to take back.", as_json=as_json)


@app.command()
def status(
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 5 unless the schema is what this build has.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the migrations: applied, waiting, or unknown here."""
    from jobcore_postgres.migrations import status as read_status

    lines = read_status(_dsn())
    if as_json:
        output.show_document({"migrations": [_document(line) for line in lines]})
    else:
        output.show_table(
            ("component", "version", "name", "state", "applied"),
            [(line.component, line.version, line.name, _state(line), line.applied_at) for line in lines],
            empty="No installed plugin brings migrations.",
        )
    if check and any(_state(line) != "applied" for line in lines):
        raise typer.Exit(ExitCode.SCHEMA)


@app.command()
def sql(
    empty: Annotated[
        bool, typer.Option("--empty", help="For an empty database; asks none, so none need be configured.")
    ] = False,
) -> None:
    """Print what `up` would run, as a script for psql."""
    from jobcore_postgres.migrations import render_sql

    typer.echo(render_sql(None if empty else _dsn()), nl=False)


def _dsn() -> str:
    from jobcore.settings import Settings

    return Settings.load().database.dsn()


def _show_changes(done: str, changes: tuple[str, ...], nothing: str, *, as_json: bool) -> None:
    if as_json:
        output.show_document({done: changes})
        return
    for change in changes:
        output.show_line(f"{done.replace('_', ' ')} {change}")
    if not changes:
        output.show_line(nothing)


def _tell_changed(lines: Sequence[MigrationStatus]) -> None:
    for line in lines:
        if line.changed:
            output.note(
                f"{line.component} {line.version}_{line.name} is not the text that was applied, and is passed over. "
                "Write a change as a new migration; while it is yours alone, `jobcore migrate down` takes it back."
            )


def _confirm(component: str, to: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("Taking migrations back loses what they hold: say --yes where nobody can be asked.")
    typer.confirm(f"Take back the migrations of {component!r} after {to}, with all that they hold?", abort=True)


def _state(line: MigrationStatus) -> str:
    if not line.known:
        return "unknown here"
    if line.applied_at is None:
        return "waiting"
    return "changed" if line.changed else "applied"


def _document(line: MigrationStatus) -> dict[str, Any]:
    return {
        "component": line.component,
        "version": line.version,
        "name": line.name,
        "state": _state(line),
        "applied_at": line.applied_at,
    }
