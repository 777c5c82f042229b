"""`jobcore queues`: how many jobs wait in each queue, and who serves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.options import AsJson
from jobcore.models import PauseKind

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.models import WorkerRecord

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def queues(as_json: AsJson = False) -> None:
    """List the queues: what waits, who works it, what is paused.

    Delayed jobs wait as well; workers are those that were heard of within the last minute.
    """

    async def work(application: JobApp) -> list[dict[str, Any]]:
        sizes, workers = await application.queue_sizes(), await application.store.live_workers()
        paused = {pause.name for pause in await application.pauses() if pause.kind is PauseKind.QUEUE}
        return _rows(sizes, workers, paused)

    rows = ask(work)
    if as_json:
        output.show_document({"queues": rows})
        return
    output.show_table(
        ("queue", "waiting", "workers", "jobs at a time", "paused"),
        [tuple(row.values()) for row in rows],
        empty="No queue has waiting jobs or is paused, and no worker is live.",
    )


def _rows(sizes: dict[str, int], workers: Sequence[WorkerRecord], paused: set[str]) -> list[dict[str, Any]]:
    served = {queue for worker in workers for queue in worker.queues}
    return [
        {
            "queue": queue,
            "waiting": sizes.get(queue, 0),
            "workers": sum(queue in worker.queues for worker in workers),
            "concurrency": sum(worker.concurrency for worker in workers if queue in worker.queues),
            "paused": queue in paused,
        }
        for queue in sorted(served | paused | {queue for queue, size in sizes.items() if size})
    ]
