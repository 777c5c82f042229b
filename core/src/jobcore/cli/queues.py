"""`jobcore queues`: how many jobs wait in each queue, and who serves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from jobcore.cli import output
from jobcore.cli.application import ask
from jobcore.cli.options import AsJson

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.models import WorkerRecord

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def queues(as_json: AsJson = False) -> None:
    """List the queues: what waits in each, and who works it.

    Delayed jobs wait as well; workers are those that were heard of within the last minute.
    """

    async def work(application: JobApp) -> tuple[dict[str, int], Sequence[WorkerRecord]]:
        return await application.queue_sizes(), await application.store.live_workers()

    sizes, workers = ask(work)
    rows = _rows(sizes, workers)
    if as_json:
        output.show_document({"queues": rows})
        return
    output.show_table(
        ("queue", "waiting", "workers", "jobs at a time"),
        [(row["queue"], row["waiting"], row["workers"], row["concurrency"]) for row in rows],
        empty="No queue has waiting jobs, and no worker is live.",
    )


def _rows(sizes: dict[str, int], workers: Sequence[WorkerRecord]) -> list[dict[str, Any]]:
    served = {queue for worker in workers for queue in worker.queues}
    return [
        {
            "queue": queue,
            "waiting": sizes.get(queue, 0),
            "workers": sum(queue in worker.queues for worker in workers),
            "concurrency": sum(worker.concurrency for worker in workers if queue in worker.queues),
        }
        for queue in sorted(served | {queue for queue, size in sizes.items() if size})
    ]
