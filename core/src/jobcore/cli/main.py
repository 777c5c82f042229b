"""The entry point of the program."""

from __future__ import annotations

from typing import Annotated

import typer

from jobcore import __version__
from jobcore.cli.group import JobcoreGroup
from jobcore.cli.leaving import run_to_the_end

app = typer.Typer(
    cls=JobcoreGroup,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"jobcore {__version__}")
        raise typer.Exit


@app.callback()
def jobcore(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Background jobs on PostgreSQL or on Temporal: enqueue them, work them, look at them.

    Settings come from environment variables and from jobcore.toml, or [tool.jobcore] of pyproject.toml, in the current
    folder. Exit codes are listed in docs/reference/cli.md.
    """


def run() -> None:
    """Run the program; what the console script `jobcore` calls."""
    run_to_the_end(app)
