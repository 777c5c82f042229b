"""`jobcore schedules`: make schedules, look at them, and act on them."""

import typer

from jobcore.cli.schedules.add import add_schedule
from jobcore.cli.schedules.list import list_schedules
from jobcore.cli.schedules.preview import preview_schedule
from jobcore.cli.schedules.remove import remove_schedule
from jobcore.cli.schedules.switch import pause_schedule, resume_schedule
from jobcore.cli.schedules.trigger import trigger_schedule

app = typer.Typer(
    help="Make schedules, look at them, and preview when they fire.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
app.command("list")(list_schedules)
app.command("add")(add_schedule)
app.command("pause")(pause_schedule)
app.command("resume")(resume_schedule)
app.command("trigger")(trigger_schedule)
app.command("remove")(remove_schedule)
app.command("preview")(preview_schedule)
