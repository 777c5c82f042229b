"""The job is to run after others, which have not ended."""

from __future__ import annotations

from collections.abc import Sequence

from jobcore.app.reasons.admission import admission_of
from jobcore.ports.admission import AdmissionView, AwaitedParent
from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import command, command_of, counted, listed, why_command


class WaitsForJobs:
    """Looks where its parents stand; they are of its own tenant."""

    async def explain(self, question: Question) -> Reason | None:
        view = await admission_of(question)
        if view is None or not view.awaited:
            return None
        is_stuck = view.parents[0].is_dead_end
        return Reason(
            severity=Severity.BLOCKED if is_stuck else Severity.WAITING,
            summary=f"It is to run after {counted(view.awaited, 'job')}: {_told(view)}.",
            remedy=_remedy(question, view.parents),
            facts={
                "awaited": view.awaited,
                "parents": [
                    {
                        "job_id": str(parent.job_id),
                        "name": parent.name,
                        "status": parent.status and parent.status.value,
                        "on_failure": parent.on_failure.value,
                    }
                    for parent in view.parents
                ],
            },
        )


def _told(view: AdmissionView) -> str:
    hidden = view.awaited - len(view.parents)
    return listed([*map(_parent, view.parents), *([f"{hidden:,} more"] if hidden else [])])


def _parent(parent: AwaitedParent) -> str:
    name = f"{parent.name} " if parent.name else ""
    return f"{name}{parent.job_id} ({'deleted' if parent.status is None else parent.status.value})"


def _remedy(question: Question, parents: Sequence[AwaitedParent]) -> str:
    first, tenant = parents[0], question.job.tenant
    if first.is_dead_end:
        return (
            f"It goes on when that has completed: {command_of('retry', tenant, first.job_id)}; or put this one away: "
            f"{command('cancel', question.job)}."
        )
    running = next((one for one in parents if one.status is not None and not one.status.is_terminal), None)
    if running is None:
        return "They have ended: a live worker sees to it within seconds; if none is live, start one."
    return f"{why_command(tenant, running.job_id)} tells what keeps {'it' if len(parents) == 1 else 'the first'}."
