"""`jobcore worker`: the process that works jobs."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from jobcore.cli import log_lines
from jobcore.cli.application import make_app, run_with
from jobcore.cli.event_loop import choose_event_loop
from jobcore.cli.options import AppName
from jobcore.errors import ConfigurationError

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.cli.fleet.member import Member

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def worker(  # noqa: PLR0917 - typer's signature
    app_name: AppName = None,
    queues: Annotated[
        list[str] | None,
        typer.Option(
            "--queues",
            metavar="QUEUE",
            help="Serve this queue; repeat for more, or use commas. By default all with a handler.",
        ),
    ] = None,
    concurrency: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, max=10_000, help="Jobs at a time on each engine; by default worker.concurrency."
        ),
    ] = None,
    log_format: Annotated[
        Literal["text", "json"], typer.Option(metavar="text|json", help="Lines of text, or one JSON object a line.")
    ] = "text",
    in_test: Annotated[
        bool, typer.Option("--in-test", help="Start although JOBCORE_ENV is test, where workers do not.")
    ] = False,
    processes: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=256, help="Worker processes; by default worker.processes."),
    ] = None,
    member: Annotated[
        str | None, typer.Option("--member", hidden=True, help="Given by a supervisor to the processes that it starts.")
    ] = None,
) -> None:
    """Work jobs until told to stop; the log goes to standard error.

    SIGTERM or Ctrl-C takes no new jobs and waits for the running ones; a second one hands them back to the queue. The
    handlers are those of plugins, of the modules in the setting `handlers`, and of --app. Modules are looked for in the
    current folder first.

    SIGHUP reads the settings anew; see `jobcore reload`.

    With several processes, a supervisor starts them, passes signals on and replaces those that die. Each has its own
    connections, and as many jobs at a time as --concurrency says.
    """
    options = WorkOptions(app_name, split(queues), concurrency, log_format, in_test)
    log_lines.log_work(log_format)
    if member is not None:
        work_as_member(options, member)
        return
    named = make_app(app_name) if app_name is not None and processes is None else None
    count = processes or configured_processes(named)
    if count > 1:
        supervise(options, count)
    else:
        work(options, application=named)


@dataclass(frozen=True, slots=True)
class WorkOptions:
    """What each process of a worker is told."""

    app_name: str | None
    queues: list[str] | None
    concurrency: int | None
    log_format: Literal["text", "json"]
    in_test: bool

    def arguments(self, *, debug: bool) -> list[str]:
        """Return them as arguments of the program."""
        given = ["--debug"] if debug else []
        given += ["worker", "--log-format", self.log_format]
        given += ["--app", self.app_name] if self.app_name is not None else []
        given += ["--queues", ",".join(self.queues)] if self.queues else []
        given += ["--concurrency", str(self.concurrency)] if self.concurrency is not None else []
        return [*given, "--in-test"] if self.in_test else given


def work(options: WorkOptions, *, member: Member | None = None, application: JobApp | None = None) -> None:
    """Work in this process until told to stop, by signals, or by a supervisor. Blocks."""
    from jobcore.app.signals import Stopper, start_and_work_until_stopped, work_until_stopped
    from jobcore.cli.reloading import Reloading

    application = application or make_app(options.app_name, handlers=True)
    require_workers_allowed(application, in_test=options.in_test)
    require_handlers(application)
    event_loop = choose_event_loop(application.settings.worker.event_loop)
    log_lines.event_loop_chosen(event_loop.name)

    log_lines.set_level(application.settings.log.level)
    reloading = Reloading(application)

    async def until_stopped(opened: JobApp) -> None:
        worker = opened.worker(options.queues, options.concurrency)
        if member is None:
            await start_and_work_until_stopped(worker, Stopper.hear_signals, reloading.hear_signals)
        else:
            await worker.start()
            member.on_reload = reloading.ask
            await work_until_stopped(worker, Stopper.hear_signals, member.obey)

    run_with(application, until_stopped, event_loop.new)


def work_as_member(options: WorkOptions, option: str) -> None:
    """Work as one of several processes, under a supervisor's orders. Blocks."""
    from jobcore.cli.fleet.member import Member

    member = Member.of(option)
    log_lines.log_work(options.log_format, member.name)
    work(options, member=member)


def supervise(options: WorkOptions, count: int) -> NoReturn:
    """Keep so many worker processes at work until told to stop; exit with the code that says how it went. Blocks."""
    from jobcore.cli.fleet.supervisor import Supervisor

    log_lines.log_work(options.log_format, "supervisor")
    supervisor = Supervisor(count, options.arguments(debug="--debug" in sys.argv))
    raise typer.Exit(asyncio.run(supervisor.run()))


def configured_processes(application: JobApp | None) -> int:
    """Return `worker.processes` of an application, or of the settings. Raises `ConfigurationError`."""
    if application is not None:
        return application.settings.worker.processes
    from jobcore.settings import Settings

    return Settings.load().worker.processes


def require_workers_allowed(application: JobApp, *, in_test: bool) -> None:
    """Raise `ConfigurationError` in a test environment (B26), unless it is meant."""
    if application.settings.env == "test" and not in_test:
        raise ConfigurationError(
            "JOBCORE_ENV is test, where a worker would take the jobs of the tests: start it with --in-test if that is "
            "meant, or set JOBCORE_ENV to what this machine is."
        )


def require_handlers(application: JobApp) -> None:
    """Raise `ConfigurationError` if there is nothing that a worker could run."""
    if not application.registry.get_registered_names():
        raise ConfigurationError(
            "No handler was found, so there is nothing to work: name your modules of jobs in the setting handlers "
            "(JOBCORE_HANDLERS=myapp.jobs), name your application with --app, or install a plugin with handlers. "
            "`jobcore init` writes a first one."
        )


def split(queues: list[str] | None) -> list[str] | None:
    """Return the queues' names; commas separate them as well."""
    names = [name.strip() for entry in queues or () for name in entry.split(",")]
    return [name for name in names if name] or None
