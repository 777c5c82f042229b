"""`jobcore plugins`: what is installed, without importing any of it."""

import typer

from jobcore.cli.plugins.list import list_plugins
from jobcore.cli.plugins.show import show_plugin

app = typer.Typer(
    help="List plugins and look at one; imports none of them.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
app.command("list")(list_plugins)
app.command("show")(show_plugin)
