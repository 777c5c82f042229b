"""The stored payload does not parse with the handler's model, as this build has it."""

from __future__ import annotations

import orjson

from jobcore.errors import PayloadInvalidError, PayloadVersionError
from jobcore.handlers.versions import read_payload
from jobcore.ports.reasons import Question, Reason, Severity
from jobcore.ports.wording import listed
from jobcore.redaction import redact_text


class PayloadDoesNotFit:
    """Parses the payload where this process has the handler. Tells which fields and rules, never a value."""

    async def explain(self, question: Question) -> Reason | None:
        job = question.job
        handler = question.app.registry.find(job.type)
        if handler is None or not question.waits:
            return None
        try:
            read_payload(handler, orjson.dumps(job.payload))
        except PayloadVersionError as error:
            return Reason(
                severity=Severity.WAITING,
                summary=str(error),
                remedy="Start workers of the build that enqueued it; workers of this one fail its attempts.",
                facts={"version": error.version, "known": handler.version},
            )
        except PayloadInvalidError as error:
            problems = [{"path": redact_text(item.path), "rule": item.rule} for item in error.problems]
        except Exception as error:  # noqa: BLE001 - a model's validators are a user's code; their words may quote a value
            problems = [{"path": "", "rule": type(error).__name__}]
        else:
            return None
        told = listed(f"{item['path'] or '(payload)'}: {item['rule']}" for item in problems)
        return Reason(
            severity=Severity.BLOCKED,
            summary=f"Its payload does not fit the handler's model as it is here, so it will fail ({told}).",
            remedy="Give new fields of the model defaults, write an upcaster, or cancel the job and enqueue it anew.",
            facts={"problems": problems},
        )
