"""No live worker takes jobs of the queue."""

from __future__ import annotations

from collections.abc import Sequence

from jobcore.app.announced import queue_of
from jobcore.models import JobRecord, WorkerRecord
from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import counted, listed


class NoWorker:
    """Looks at the workers that announced themselves within the last minute."""

    async def explain(self, question: Question) -> Reason | None:
        if not question.waits:
            return None
        return no_worker(question.job, await question.app.store.live_workers())


def no_worker(job: JobRecord, live: Sequence[WorkerRecord]) -> Reason | None:
    """Say why none of the live workers takes the job; `None` if one does."""
    ours = [worker for worker in live if worker.runner_type == job.runner_type]
    serving = [worker for worker in ours if job.queue in worker.queues]
    if any(not worker.stopping for worker in serving):
        return None
    summary, remedy = _words(job, live, ours, serving)
    return Reason(
        severity=Severity.BLOCKED,
        summary=summary,
        remedy=remedy,
        facts={
            "queue": job.queue,
            "runner_type": job.runner_type,
            "live_workers": len(live),
            "workers_of_runner": len(ours),
            "stopping_workers": len(serving),
            "served_queues": sorted({queue for worker in ours for queue in worker.queues}),
        },
    )


def _words(
    job: JobRecord, live: Sequence[WorkerRecord], ours: Sequence[WorkerRecord], serving: Sequence[WorkerRecord]
) -> tuple[str, str]:
    if not live:
        return "No worker is live.", f"Start one that has the handler {job.type!r}: `jobcore worker`."
    if not ours:
        others = listed(sorted({worker.runner_type for worker in live}))
        return (
            f"No live worker works the runner {job.runner_type!r}: {counted(len(live), 'worker')} of {others}.",
            f"Start a worker whose settings use {job.runner_type!r}.",
        )
    if serving:
        return (
            f"Every live worker of the queue {job.queue!r} is stopping, and takes no new jobs.",
            "If nothing replaces them, start a worker with `jobcore worker`.",
        )
    queues = listed(sorted({queue for worker in ours for queue in worker.queues})) or "none"
    summary = f"No live worker serves the queue {job.queue!r}. {counted(len(ours), 'worker')} of others: {queues}."
    elsewhere = sorted({queue for worker in ours if (queue := queue_of(worker).get(job.type)) is not None})
    if elsewhere:
        return summary, (
            f"Workers expect jobs of {job.type!r} in the queue {listed(elsewhere)}: give both sides the same queue=."
        )
    return summary, f"Start a worker that has the handler {job.type!r}, or add the queue to worker.queues of one."
