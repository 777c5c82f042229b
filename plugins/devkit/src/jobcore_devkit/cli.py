"""`jobcore dev`: a database, its migrations and a worker in one command."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobcore.cli import output
from jobcore.cli.application import make_app
from jobcore.cli.progress import progress_bar
from jobcore.cli.worker import require_workers_allowed
from jobcore_devkit.dev import DevEnvironment
from jobcore_devkit.errors import ServerNotRunningError

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.settings import Settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)

URL_FILE = "database-url"
"""Where a running `jobcore dev` leaves the address by the socket, which has no password in it."""

Folder = Annotated[Path, typer.Option("--folder", metavar="FOLDER", help="Where the data is kept between runs.")]
DEFAULT_FOLDER = Path(".jobcore")


@app.callback(invoke_without_command=True)
def dev(
    context: typer.Context,
    *,
    folder: Folder = DEFAULT_FOLDER,
    port: Annotated[
        int, typer.Option(metavar="PORT", min=0, max=65535, help="The loopback port; 0 takes a free one.")
    ] = 0,
    with_worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Whether to work jobs as well.")] = True,
    concurrency: Annotated[int | None, typer.Option(metavar="N", min=1, max=10_000, help="Jobs at a time.")] = None,
    in_test: Annotated[bool, typer.Option("--in-test", help="Start the worker although JOBCORE_ENV is test.")] = False,
) -> None:
    """Run a database, its migrations and a worker, for development.

    A real PostgreSQL, with nothing to set up before; all stops with Ctrl-C. The data stays in FOLDER. A database that
    is configured otherwise is not used. In a second terminal, `jobcore dev url` prints the address for DATABASE_URL.
    Ctrl-C waits for the running jobs, a second one hands them back.
    """
    if context.invoked_subcommand is not None:
        return
    from jobcore.cli.log_lines import log_work

    log_work("text")
    with _termination_as_interrupt(), _running(folder, port) as environment:
        application = _application(environment.dsn()) if with_worker else None
        if application is not None:
            require_workers_allowed(application, in_test=in_test)
        _say_what_runs(environment, application)
        asyncio.run(_work(application, concurrency) if application is not None else _wait_for_signal())


@app.command()
def url(folder: Folder = DEFAULT_FOLDER) -> None:
    """Print the address of the database that runs here.

    For a second terminal: export DATABASE_URL="$(jobcore dev url)".
    """
    file = folder / URL_FILE
    if not file.is_file():
        raise ServerNotRunningError(f"No `jobcore dev` runs on the folder {folder}: start one, in another terminal.")
    typer.echo(file.read_text(encoding="utf-8").strip())


@contextmanager
def _running(folder: Path, port: int) -> Generator[DevEnvironment]:
    """Run the database for the length of the block, and leave its address where `jobcore dev url` finds it."""
    environment = DevEnvironment(folder, port=port)
    with progress_bar("PostgreSQL") as show:
        show(None, "starting and migrating")
        environment.start()
    file = folder / URL_FILE
    try:
        _write(file, environment.dsn())
        yield environment
    finally:
        environment.stop()
        if not environment.server.running:
            file.unlink(missing_ok=True)
    output.note("Stopped. The data stays in " + str(folder))


def _write(file: Path, address: str) -> None:
    """Replace the file as a whole, for another terminal may read it now."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.write_text(address + "\n", encoding="utf-8")
    fresh.replace(file)


def _application(dsn: str) -> JobApp:
    from jobcore.settings import Settings

    settings: Settings = Settings.load(database={"url": dsn})
    return make_app(handlers=True, settings=settings)


async def _work(application: JobApp, concurrency: int | None) -> None:
    async with application:
        await application.run_worker(None, concurrency)


async def _wait_for_signal() -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    await asked.wait()


@contextmanager
def _termination_as_interrupt() -> Generator[None]:
    """Let SIGTERM end what Ctrl-C ends, so that the server is stopped before the worker took the signals over too."""
    before: Any = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say_what_runs(environment: DevEnvironment, application: JobApp | None) -> None:
    server = environment.server
    output.note(
        f"PostgreSQL {server.version} runs on 127.0.0.1:{server.port} (database jobcore), data in {server.data_dir}"
    )
    if application is not None:
        output.note(f"A worker serves: {', '.join(application.registry.get_registered_names()) or 'no handler yet'}")
    option = "" if environment.folder == DEFAULT_FOLDER else f" --folder {shlex.quote(str(environment.folder))}"
    output.note("In a second terminal:")
    output.note(f'  export DATABASE_URL="$(jobcore dev url{option})"')
    output.note('  jobcore enqueue say-hello --tenant system --data \'{"name": "Ada"}\' --wait')
    output.note("  jobcore jobs list")
    output.note("Ctrl-C stops all.")
