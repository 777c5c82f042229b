"""An operator has paused the job's queue, its handler or its tenant."""

from __future__ import annotations

from jobcore.models import JobRecord, Pause, PauseKind
from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import instant, listed, pause_command


class IsPaused:
    """Compares what is paused with what the job belongs to."""

    async def explain(self, question: Question) -> Reason | None:
        if not question.waits:
            return None
        pauses = [pause for pause in await question.app.store.pauses() if _holds_up(pause, question.job)]
        if not pauses:
            return None
        return Reason(
            severity=Severity.BLOCKED,
            summary=" ".join(_told(question, pause) for pause in pauses),
            remedy=f"Let it go on: {listed(pause_command('resume', pause.kind, pause.name) for pause in pauses)}.",
            facts={"pauses": [_facts(question, pause) for pause in pauses]},
        )


def _holds_up(pause: Pause, job: JobRecord) -> bool:
    names = {PauseKind.QUEUE: job.queue, PauseKind.HANDLER: job.type, PauseKind.TENANT: str(job.tenant)}
    return pause.name == names[pause.kind]


def _told(question: Question, pause: Pause) -> str:
    what = "Its tenant" if pause.kind is PauseKind.TENANT else f"The {pause.kind} {pause.name!r}"
    by = f" by {pause.paused_by}" if pause.paused_by and _may_tell(question, pause) else ""
    why = f": {pause.reason}" if pause.reason and _may_tell(question, pause) else ""
    return f"{what} has been paused since {instant(pause.paused_at)}{by}{why.rstrip('.')}."


def _facts(question: Question, pause: Pause) -> dict[str, object]:
    told = {"reason": pause.reason, "paused_by": pause.paused_by} if _may_tell(question, pause) else {}
    return {"kind": pause.kind.value, "name": pause.name, "paused_at": pause.paused_at, **told}


def _may_tell(question: Question, pause: Pause) -> bool:
    """Whether who paused it and why is for whoever asks: of what all tenants share it may speak of another one."""
    return question.for_operator or pause.kind is PauseKind.TENANT
