"""What Temporal and the outbox know of jobs that do not run (`jobcore why`). Light: the SDK is imported on use."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jobcore.errors import EngineUnavailableError
from jobcore.ports.reasons import Question, Reason, Severity
from jobcore_temporal.identity import RUNNER_TYPE, workflow_id

if TYPE_CHECKING:
    from jobcore_postgres.outbox import Place
    from jobcore_temporal.settings import TemporalRunnerSettings


class NotHandedOver:
    """It is still in the outbox: its time has not come, no relay has taken it, or Temporal did not take it."""

    async def explain(self, question: Question) -> Reason | None:
        place = await _place(question)
        if place is None or place.state != "due":
            return None
        facts = {"tries": place.tries, "error": place.error}
        if place.error is not None:
            return Reason(
                severity=Severity.WAITING,
                summary=f"Temporal did not take it in {place.tries} tries: {place.error}",
                remedy="It is tried again by itself; see `jobcore doctor`.",
                facts=facts,
            )
        if place.try_at > datetime.now(UTC):
            return None  # that it is not due, core says
        return Reason(
            severity=Severity.WAITING,
            summary="It waits in the outbox to be handed to Temporal, which a worker of this engine does.",
            remedy="Start one, if none lives.",
            facts=facts,
        )


class InTemporal:
    """Temporal has it: what it says of it, and where its page is."""

    async def explain(self, question: Question) -> Reason | None:
        place = await _place(question)
        if place is None or place.state != "handed":
            return None
        from jobcore_temporal.connection import Connection
        from jobcore_temporal.ends import end_of

        settings = _settings(question)
        connection = Connection(settings)
        name = workflow_id(question.job.tenant, question.job.job_id, place.epoch)
        facts = {"workflow_id": name, "page": page_of(settings, name)}
        try:
            end = await end_of(await connection.client(), place.entry(question.job), connection.patience)
        except EngineUnavailableError as error:
            return Reason(severity=Severity.WAITING, summary=str(error), remedy="See `jobcore doctor`.", facts=facts)
        told = "it runs there, or waits for a worker" if end is None else f"it has ended there as {end.status}"
        return Reason(
            severity=Severity.INFO,
            summary=f"Temporal has it as {name}: {told}.",
            remedy=f"Look at {facts['page']}." if facts["page"] else "",
            facts=facts,
        )


FINDERS = {"not_handed_over": NotHandedOver(), "in_temporal": InTemporal()}
"""By code."""


def page_of(settings: TemporalRunnerSettings, name: str) -> str | None:
    """Return where the server's web pages show a workflow; `None` if nobody said where they are."""
    if settings.ui_url is None:
        return None
    return f"{settings.ui_url.rstrip('/')}/namespaces/{quote(settings.namespace)}/workflows/{quote(name, safe='')}"


async def _place(question: Question) -> Place | None:
    from jobcore_postgres.outbox import Outbox

    store: Any = question.app.store
    outbox = Outbox(store.database, RUNNER_TYPE, workflow_id)
    return await outbox.place_of(question.job.tenant, question.job.job_id)


def _settings(question: Question) -> TemporalRunnerSettings:
    from jobcore_temporal.settings import TemporalRunnerSettings

    return question.app.settings.section(RUNNER_TYPE, TemporalRunnerSettings)
