"""`jobcore reload`: all live workers read their settings anew."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.exit_codes import ExitCode
from jobcore.cli.login import somebody
from jobcore.cli.options import AsJson, read_duration
from jobcore.cli.progress import progress_bar

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.models import WorkerRecord

app = typer.Typer(add_completion=False, rich_markup_mode=None)

LOOK_EVERY = 0.1


@app.command()
def reload(
    timeout: Annotated[
        str, typer.Option(metavar="DURATION", help="Wait so long for the workers' answers, such as 30 (seconds).")
    ] = "30",
    as_json: AsJson = False,
) -> None:
    """Let all live workers read their settings anew, without a restart.

    Each reads the variables and the file of its own process, and takes over what can change: concurrency, routes,
    fallback, breaker, log level and retention. What cannot is named in its log and here. A worker whose settings cannot
    be used goes on with those that it had, and says why here. SIGHUP does the same for one process, or for a supervisor
    and its processes. Exits with 1 unless every worker has followed.
    """
    patience = read_duration("--timeout", timeout) or timedelta()

    async def work(application: JobApp) -> tuple[int, list[dict[str, Any]]]:
        number = await application.store.call_reload(somebody())
        deadline = time.monotonic() + patience.total_seconds()
        with progress_bar("Reload") as show:
            while True:
                answers = _answers(await application.store.live_workers(), number)
                there = sum(answer["followed"] for answer in answers)
                show(100 * there / max(len(answers), 1), f"{there} of {len(answers)} workers")
                if there == len(answers) or time.monotonic() > deadline:
                    return number, answers
                await asyncio.sleep(LOOK_EVERY)

    number, answers = ask(work)
    if as_json:
        output.show_document({"number": number, "workers": answers})
    else:
        output.show_table(
            ("worker", "runner", "host", "pid", "outcome"),
            [
                (*[answer[key] for key in ("worker_id", "runner", "host", "pid")], _outcome(answer))
                for answer in answers
            ],
            empty="No worker is live.",
        )
    if not all(answer["followed"] and answer["problem"] is None for answer in answers):
        raise typer.Exit(ExitCode.FAILED)


def _answers(workers: Sequence[WorkerRecord], number: int) -> list[dict[str, Any]]:
    from jobcore.app.workers import RELOAD_OPEN, RELOAD_PROBLEM, RELOADED

    return [
        {
            "worker_id": worker.worker_id,
            "runner": worker.runner_type,
            "host": worker.host,
            "pid": worker.pid,
            "followed": worker.details.get(RELOADED, 0) >= number,
            "problem": worker.details.get(RELOAD_PROBLEM),
            "open": worker.details.get(RELOAD_OPEN, []),
        }
        for worker in workers
        if not worker.stopping
    ]


def _outcome(answer: dict[str, Any]) -> str:
    if not answer["followed"]:
        return "no answer"
    if answer["problem"]:
        return f"goes on as before: {answer['problem']}"
    return f"done, but: {'; '.join(answer['open'])}" if answer["open"] else "done"
