"""`jobcore jobs`: look at jobs, and act on them."""

import typer

from jobcore.cli.jobs.cancel import cancel_job
from jobcore.cli.jobs.list import list_jobs
from jobcore.cli.jobs.retry import retry_job
from jobcore.cli.jobs.show import show_one_job
from jobcore.cli.jobs.wait import wait_for_one_job

app = typer.Typer(
    help="List jobs, look at one, cancel, retry or await it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
app.command("list")(list_jobs)
app.command("show")(show_one_job)
app.command("cancel")(cancel_job)
app.command("retry")(retry_job)
app.command("wait")(wait_for_one_job)
