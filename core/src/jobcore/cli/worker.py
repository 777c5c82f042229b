"""`jobcore worker`: the process that works jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from jobcore.cli.application import make_app, run_with
from jobcore.cli.options import AppName
from jobcore.errors import ConfigurationError

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def worker(
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
) -> None:
    """Work jobs until told to stop; the log goes to standard error.

    SIGTERM or Ctrl-C takes no new jobs and waits for the running ones; a second one hands them back to the queue. The
    handlers are those of plugins, of the modules in the setting `handlers`, and of --app. Modules are looked for in the
    current folder first.
    """
    from jobcore.cli.log_lines import log_work

    log_work(log_format)
    application = make_app(app_name, handlers=True)
    require_workers_allowed(application, in_test=in_test)
    require_handlers(application)
    run_with(application, lambda opened: opened.run_worker(split(queues), concurrency))


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
