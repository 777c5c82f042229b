"""Why a job is not running: asks every finder of reasons that knows something of the job's runner."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from uuid import UUID

from jobcore.errors import JobNotFoundError
from jobcore.models import JobRecord
from jobcore.ports.reasons import Explanation, Question, Reason, Severity
from jobcore.ports.wording import instant
from jobcore.redaction import redact_text
from jobcore.states import JobState

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.plugins.registries import RegisteredReason

EXPLAIN_SECONDS = 10.0
"""How long one finder may take."""
READY = "ready"
"""The code of the answer that nothing was found which keeps a job from running."""


@runtime_checkable
class SharedEngine(Protocol):
    """A runner whose engine others use as well, so that it may hold jobs which the store has not heard of yet."""

    async def find_unrecorded(self, tenant: UUID, job_id: UUID) -> JobRecord | None: ...


async def explain_job(app: JobApp, tenant: UUID, job_id: UUID, *, for_operator: bool) -> Explanation:
    """Return all reasons of a job, the gravest first. Raises `JobNotFoundError`, `StorageUnavailableError`."""
    job = await _find(app, tenant, job_id)
    question = Question(app=app, job=job, for_operator=for_operator)
    answers = [await _ask(item, question) for item in finders_for(job.runner_type, app.plugins.reasons)]
    return Explanation(
        job_id=job.job_id,
        tenant=job.tenant,
        name=job.type,
        queue=job.queue,
        runner_type=job.runner_type,
        status=job.status,
        reasons=_ordered(question, [answer for answer in answers if answer is not None]),
    )


def finders_for(runner: str, registered: Iterable[RegisteredReason]) -> Sequence[RegisteredReason]:
    """Return whom to ask about jobs of a runner, by code: its own finder takes the place of the general one."""
    chosen: dict[str, RegisteredReason] = {}
    for item in registered:
        if item.runner == runner or (item.runner is None and item.code not in chosen):
            chosen[item.code] = item
    return [chosen[code] for code in sorted(chosen)]


async def _find(app: JobApp, tenant: UUID, job_id: UUID) -> JobRecord:
    try:
        return await app.get_job(tenant, job_id)
    except JobNotFoundError:
        runner = await app.runner()
        found = await runner.find_unrecorded(tenant, job_id) if isinstance(runner, SharedEngine) else None
        if found is None:
            raise
        return found


async def _ask(item: RegisteredReason, question: Question) -> Reason | None:
    limit = asyncio.timeout(EXPLAIN_SECONDS)
    try:
        async with limit:
            answer = await item.finder.explain(question)
    except Exception as error:  # noqa: BLE001 - whatever a plugin's finder raises is told in its place
        if limit.expired():
            return _unanswered(item, f"did not answer within {EXPLAIN_SECONDS:g} s")
        return _unanswered(item, f"raised {redact_text(f'{type(error).__name__}: {error}'.rstrip(': '))}")
    if answer is None:
        return None
    if not isinstance(answer, Reason):  # pyright: ignore[reportUnnecessaryIsInstance] - plugins may be untyped
        return _unanswered(item, f"answered with a {type(answer).__name__} instead of a Reason")
    return replace(answer, code=item.code)


def _unanswered(item: RegisteredReason, what: str) -> Reason:
    return Reason(
        code=item.code,
        severity=Severity.UNKNOWN,
        summary=f"Whether this keeps it is not known: the finder of {item.origin} {what}.",
        remedy="The other reasons stand. Report it to whoever made the plugin, or name the plugin in plugins.block.",
        facts={"plugin": item.origin.plugin, "distribution": item.origin.distribution},
    )


def _ordered(question: Question, reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    gravity = list(Severity)
    found = sorted(reasons, key=lambda reason: gravity.index(reason.severity))
    if question.waits and all(reason.severity is Severity.INFO for reason in found):
        found.insert(0, _ready(question.job))
    return tuple(found)


def _ready(job: JobRecord) -> Reason:
    next_step = "admit it to its engine" if job.status is JobState.PENDING else "take it"
    return Reason(
        code=READY,
        severity=Severity.INFO,
        summary=f"Nothing was found that keeps it: it has been due since {instant(job.run_at)}, and a worker should "
        f"{next_step} at any moment.",
        remedy="Ask again in a few seconds. If it still waits then, see the worker's log, and run `jobcore doctor`.",
        facts={"run_at": job.run_at},
    )
