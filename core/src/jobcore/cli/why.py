"""`jobcore why`: what keeps a job from running, who holds that, and what to do."""

from __future__ import annotations

import re
from dataclasses import asdict
from textwrap import wrap
from typing import TYPE_CHECKING

import typer

from jobcore.cli import output
from jobcore.cli.application import make_app, run_with
from jobcore.cli.exit_codes import ExitCode
from jobcore.cli.options import AppName, AsJson, JobId, Tenant
from jobcore.errors import JobcoreError
from jobcore.ports.wording import tenant_name

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.ports.reasons import Explanation, Reason

app = typer.Typer(add_completion=False, rich_markup_mode=None)

WIDTH = 110
"""Columns after which a reason goes on in the next line."""
_COMMAND = re.compile("`[^`]*`")


@app.command()
def why(job: JobId, tenant: Tenant = "system", app_name: AppName = None, as_json: AsJson = False) -> None:
    """Say why a job is not running, and what to do about it.

    The gravest reasons stand first: `blocked` until somebody acts, `waiting` for what passes by itself, `info`, and
    `unknown` where a reason could not be looked for. Plugins may add reasons; nothing is changed.

    Exits with 0 if the job runs, has ended, or goes on by itself, and with 1 if it waits for somebody to act, or if
    that could not be found out.
    """

    async def work(application: JobApp) -> Explanation:
        return await application.why(job, tenant=tenant, for_operator=True)

    explanation = run_with(_application(app_name), work)
    if as_json:
        output.show_document({**asdict(explanation), "needs_attention": explanation.needs_attention})
    else:
        _show(explanation)
    if explanation.needs_attention:
        raise typer.Exit(ExitCode.FAILED)


def _application(name: str | None) -> JobApp:
    """Make the application with its handlers, which tell whether the payload fits; without them if they do not load."""
    try:
        return make_app(name, handlers=True)
    except JobcoreError as error:
        if name is not None:
            raise
        bare = make_app()  # raises again, unless the handlers were at fault
        output.note(f"The payload is not looked at: {error}")
        return bare


def _show(explanation: Explanation) -> None:
    output.show_line(
        f"{explanation.name} {explanation.job_id} of tenant {tenant_name(explanation.tenant)} is "
        f"{explanation.status.value} (runner {explanation.runner_type}, queue {explanation.queue})."
    )
    output.show_line()
    width = max(len(reason.code) for reason in explanation.reasons)
    for reason in explanation.reasons:
        _show_reason(reason, width)


def _show_reason(reason: Reason, width: int) -> None:
    first, *others = _lines(reason.summary, WIDTH - width)
    output.show_line(f"{reason.severity.value:<7}  {reason.code:<{width}}  {first}")
    advice = _lines(f"→ {reason.remedy}", WIDTH - width) if reason.remedy else []
    for line in (*others, *advice):
        output.show_line(f"{'':<7}  {'':<{width}}  {line}")


def _lines(text: str, width: int) -> list[str]:
    """Return `text` in lines; a command between backticks stays whole, so that it can be copied."""
    whole = _COMMAND.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), text)
    lines = wrap(whole, width, break_long_words=False, break_on_hyphens=False)
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines] or [""]
