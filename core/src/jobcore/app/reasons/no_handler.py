"""Live workers serve the queue, and some or all of them do not have the handler."""

from __future__ import annotations

from jobcore.app.announced import queue_of
from jobcore.models import WorkerRecord
from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import listed


class NoHandler:
    """Compares the queue's live workers with the handlers that they announced."""

    async def explain(self, question: Question) -> Reason | None:
        job = question.job
        if not question.waits:
            return None
        serving = [
            worker
            for worker in await question.app.store.live_workers()
            if worker.runner_type == job.runner_type and job.queue in worker.queues and not worker.stopping
        ]
        lacking = [worker for worker in serving if queue_of(worker).get(job.type) != job.queue]
        if not lacking:
            return None
        none_has_it = len(lacking) == len(serving)
        return Reason(
            severity=Severity.BLOCKED if none_has_it else Severity.INFO,
            summary=f"{'No' if none_has_it else f'{len(lacking)} of {len(serving)}'} live "
            f"worker{'' if none_has_it else 's'} of the queue {job.queue!r} {'has' if none_has_it else 'lack'} the "
            f"handler {job.type!r}: there the job's attempts fail.",
            remedy="Deploy the handler to them, or name its module in `handlers`."
            + (f" They are {listed(map(_place, lacking))}." if question.for_operator else ""),
            facts={
                "handler": job.type,
                "queue": job.queue,
                "workers": len(serving),
                "workers_without_handler": len(lacking),
            },
        )


def _place(worker: WorkerRecord) -> str:
    return f"{worker.host}:{worker.pid}"
