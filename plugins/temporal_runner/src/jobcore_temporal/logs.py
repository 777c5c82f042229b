"""All log wording of this package."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from jobcore.models import Settlement

_logger = logging.getLogger("jobcore.temporal")
LONGEST_FIELD = 200
"""Characters."""


class _LessShutdown(logging.Filter):
    """Lets the SDK not tell that it waits 365 days for running jobs: our worker waits as long as it was told to, and
    says itself how many there are."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not str(record.msg).startswith("Beginning worker shutdown")


class _PlainFields(logging.Filter):
    """Puts what the SDK's core tells beside its message behind it, where every format of the log has it."""

    def filter(self, record: logging.LogRecord) -> bool:
        told: Any = vars(record).pop("temporal_log", None)
        if told is not None:
            fields = ", ".join(f"{key}={_shorten(value)}" for key, value in told.fields.items())
            record.msg = f"{record.msg} ({fields})" if fields else record.msg
        return True


_less_shutdown = _LessShutdown()
_plain_fields = _PlainFields()


def quiet_the_sdk() -> None:
    """Leave out what the SDK says that is untrue of our workers. Once or often, that is the same."""
    logging.getLogger("temporalio.worker._worker").addFilter(_less_shutdown)


def logger_of_the_sdk() -> logging.Logger:
    """Return where the log of the SDK's core goes. Once or often, that is the same."""
    logger = logging.getLogger("jobcore.temporal.sdk")
    logger.addFilter(_plain_fields)
    return logger


def worker_started(worker_id: UUID, task_queues: Sequence[str], concurrency: int, *, by_load: bool) -> None:
    places = "as many places as the machine's load allows" if by_load else f"{concurrency} places"
    _logger.info("Worker %s polls %s with %s.", worker_id, ", ".join(task_queues), places)


def worker_is_version(worker_id: UUID, deployment: str, build_id: str) -> None:
    _logger.info(
        "Worker %s is build %s of deployment %s: new jobs come to it while that build is the current one.",
        worker_id,
        build_id,
        deployment,
    )


def concurrency_unused(concurrency: int) -> None:
    _logger.warning(
        "worker.concurrency is %d now, and counts for nothing on Temporal: temporal.tuner takes jobs by the machine's "
        "load. Its bounds count from the next start on",
        concurrency,
    )


def worker_waits(address: str, error: BaseException) -> None:
    _logger.error("Temporal at %s cannot be reached, and is tried again: %s", address, _line(error))


def worker_stopping(worker_id: UUID, running: int) -> None:
    _logger.info("Worker %s stops polling; %d jobs still run.", worker_id, running)


def worker_stopped(worker_id: UUID) -> None:
    _logger.info("Worker %s has stopped.", worker_id)


def temporal_away(address: str, reason: str, *, fallback: str | None) -> None:
    _logger.error(
        "Temporal at %s is away: %s. %s",
        address,
        reason,
        f"Jobs that wait for it move to {fallback} until it is back."
        if fallback
        else "Jobs wait in the outbox until it is back.",
    )


def temporal_back(address: str, seconds: float) -> None:
    _logger.warning("Temporal at %s answers again, after %.1f s: new jobs go there.", address, seconds)


def jobs_moved(job_ids: Sequence[UUID], target: str) -> None:
    _logger.warning("%d jobs were moved to %s because Temporal is away: %s", len(job_ids), target, _list(job_ids))


def handover_refused(job_id: UUID, name: str, error: BaseException) -> None:
    _logger.error("Temporal refuses job %s (%s), which fails: %s", job_id, name, _line(error))


def handover_postponed(count: int, error: BaseException) -> None:
    _logger.warning("Temporal did not take %d jobs, which are handed over again: %s", count, _line(error))


def run_is_over(job_id: UUID, name: str, verdict: str) -> None:
    _logger.info("A run of job %s (%s) does nothing: the job has %s.", job_id, name, verdict)


def settlement_delayed(settlement: Settlement, error: BaseException) -> None:
    claim = settlement.claim
    _logger.warning(
        "The database does not take yet that job %s (%s, attempt %d) ended as %s: %s",
        claim.job_id,
        claim.name,
        claim.attempt,
        settlement.outcome,
        _line(error),
    )


def settlement_left(settlement: Settlement, error: BaseException) -> None:
    claim = settlement.claim
    _logger.error(
        "The database did not take that job %s (%s, attempt %d) ended as %s; its workflow goes on trying: %s",
        claim.job_id,
        claim.name,
        claim.attempt,
        settlement.outcome,
        _line(error),
    )


def step_unrecorded(job_id: UUID, step: str, error: BaseException) -> None:
    _logger.error("Step %s of job %s is not on record: %s", step, job_id, _line(error))


def reconciled(job_id: UUID, ended: str) -> None:
    _logger.warning("The workflow of job %s ended as %s without its word; its row says so now.", job_id, ended)


def started_again(job_id: UUID) -> None:
    _logger.warning(
        "Temporal no longer knows the workflow of job %s, which had not begun: it is started again.", job_id
    )


def _list(job_ids: Sequence[UUID]) -> str:
    return ", ".join(str(job_id) for job_id in job_ids[:10]) + (" …" if len(job_ids) > 10 else "")


def _shorten(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST_FIELD else f"{text[:LONGEST_FIELD]}…"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
