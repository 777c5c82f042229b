"""All that the execution room writes to the log."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from jobcore.models import Claim, Settlement
from jobcore.redaction import describe_exception

ROOT = logging.getLogger("jobcore.execution")


class JobLogger(logging.LoggerAdapter[logging.Logger]):
    """A handler's logger: lines begin with `[worker][handler:jobId]` (B06) and carry the job in `extra` (G10)."""

    def __init__(self, logger: logging.Logger, name: str, job_id: UUID, tenant: UUID, attempt: int) -> None:
        super().__init__(logger, {})
        self._about = (name, job_id, tenant, attempt)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        name, job_id, tenant, attempt = self._about
        own = {"job": name, "jobId": str(job_id), "tenantId": str(tenant), "attempt": attempt}
        kwargs["extra"] = {**(kwargs.get("extra") or {}), **own}
        return f"[worker][{name}:{job_id}] {msg}", kwargs


def job_completed(logger: logging.Logger, settlement: Settlement) -> None:
    logger.info("Job completed successfully", extra=_about(settlement.claim, settlement.duration))


def job_not_completed(logger: logging.Logger, settlement: Settlement) -> None:
    """Say how an attempt ended that did not complete: an error if it failed, one line of information otherwise."""
    error = settlement.error or {}
    extra = {**_about(settlement.claim, settlement.duration), "outcome": settlement.outcome.value, "error": error}
    text = error.get("message") or error.get("reason") or ""
    match settlement.outcome:
        case "failed":
            logger.error("Job failed: %s", text, extra=extra)
        case "retry":
            logger.error("Job failed and will be tried again in %s: %s", settlement.retry_in, text, extra=extra)
        case "snoozed":
            logger.info("Job snoozed for %s", settlement.retry_in, extra=extra)
        case "cancelled":
            logger.info("Job cancelled: %s", text, extra=extra)
        case _:
            logger.info("Job handed back: %s", text, extra=extra)


def result_replaced(logger: logging.Logger, claim: Claim, problem: str) -> None:
    logger.warning("The job's result was not stored: %s", problem, extra=_about(claim))


def progress_not_written(logger: logging.Logger, claim: Claim, error: BaseException) -> None:
    logger.warning("The job's last progress was not written: %s", _message(error), extra=_about(claim))


def observer_failed(logger: logging.Logger, observer: object, event: str, error: BaseException) -> None:
    name = type(observer).__qualname__
    extra = {"error": describe_exception(error)}
    logger.error("Observer %s failed at %s and was ignored: %s", name, event, _message(error), extra=extra)


def handler_left_behind(logger: logging.Logger, claim: Claim, grace: timedelta) -> None:
    logger.warning(
        "The handler did not end within %s of being cancelled; its job is settled and it is left behind",
        grace,
        extra=_about(claim),
    )


def thread_lost(logger: logging.Logger, thread: str, what: str, lost: int) -> None:
    logger.warning("Thread %s, which runs %s, cannot be stopped and is lost; %d lost in all", thread, what, lost)


def thread_came_back(logger: logging.Logger, thread: str, what: str) -> None:
    logger.info("Lost thread %s, which ran %s, has ended", thread, what)


def process_killed(logger: logging.Logger, pid: int, what: str) -> None:
    logger.warning("Process %d, which runs %s, did not end when asked to and is killed", pid, what)


def relay(record: Mapping[str, Any]) -> None:
    """Log here what a handler's process logged, under the logger's name there."""
    logger = logging.getLogger(record["name"])
    if logger.isEnabledFor(record["level"]):
        logger.handle(
            logger.makeRecord(
                record["name"],
                record["level"],
                record["file"],
                record["line"],
                record["text"],
                (),
                None,
                record["function"],
                record["extra"],
            )
        )


def _message(error: BaseException) -> str:
    described = describe_exception(error)
    return f"{described['type']}: {described['message']}"


def _about(claim: Claim, duration: timedelta | None = None) -> Mapping[str, Any]:
    about: dict[str, Any] = {
        "job": claim.name,
        "jobId": str(claim.job_id),
        "tenantId": str(claim.tenant),
        "attempt": claim.attempt,
        "scope": f"[worker][{claim.name}:{claim.job_id}]",
    }
    if duration is not None:
        about["durationMs"] = round(duration / timedelta(milliseconds=1), 3)
    return about
