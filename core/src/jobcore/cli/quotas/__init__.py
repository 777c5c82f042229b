"""`jobcore quotas`: what tenants may have at most."""

import typer

from jobcore.cli.quotas.clear import clear_quota
from jobcore.cli.quotas.list import list_quotas
from jobcore.cli.quotas.set import set_quota

app = typer.Typer(
    help="Limit how much tenants may enqueue, schedule and let wait.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
app.command("list")(list_quotas)
app.command("set")(set_quota)
app.command("clear")(clear_quota)
