"""`jobcore doctor`: what is wrong here, and what to do about it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from jobcore.cli import output
from jobcore.cli.application import look_in_current_folder
from jobcore.cli.doctor.diagnosis import Diagnosis, Finding, Verdict
from jobcore.cli.exit_codes import ExitCode
from jobcore.cli.options import AsJson

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def doctor(
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail as well.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check what is installed, configured and running.

    Says what to do where it is not well. Exits with 1 if a check failed. Plugins are loaded and may bring checks of
    their own; nothing is changed.
    """
    from jobcore.cli.doctor.examination import examine

    look_in_current_folder()
    diagnosis = asyncio.run(examine())
    if as_json:
        output.show_document(diagnosis.as_document())
    else:
        _show(diagnosis)
    if diagnosis.failed or (strict and diagnosis.warned):
        raise typer.Exit(ExitCode.FAILED)


def _show(diagnosis: Diagnosis) -> None:
    width = max(len(finding.name) for finding in diagnosis.findings)
    for finding in diagnosis.findings:
        _show_finding(finding, width)
    output.show_line()
    output.show_line(diagnosis.summary())


def _show_finding(finding: Finding, width: int) -> None:
    first, *others = finding.message.split("\n")
    output.show_line(f"{_MARKS[finding.verdict]:<7}  {finding.name:<{width}}  {first}")
    for line in others:
        output.show_line(f"{'':<7}  {'':<{width}}  {line.strip()}")
    if finding.remedy:
        output.show_line(f"{'':<7}  {'':<{width}}  → {finding.remedy}")


_MARKS = {Verdict.OK: "ok", Verdict.WARNING: "warning", Verdict.FAILED: "FAILED", Verdict.SKIPPED: "skipped"}
