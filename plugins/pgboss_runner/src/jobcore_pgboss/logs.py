"""All log wording of this package."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

_logger = logging.getLogger("jobcore.pgboss")


def schema_newer(version: int, known: int) -> None:
    _logger.warning(
        "pg-boss's schema has version %d, and this build knows it up to %d. It goes on; upgrade jobcore-pgboss-runner.",
        version,
        known,
    )


def worker_started(worker_id: UUID, queues: int, concurrency: int) -> None:
    _logger.info("Worker %s serves %d queues with %d slots.", worker_id, queues, concurrency)


def worker_stopping(worker_id: UUID, running: int) -> None:
    _logger.info("Worker %s stops claiming; %d jobs still run.", worker_id, running)


def worker_stopped(worker_id: UUID) -> None:
    _logger.info("Worker %s has stopped.", worker_id)


def drain_given_up(grace: timedelta) -> None:
    _logger.error(
        "The database has been away for %g s while this worker wants to stop: it waits no longer.",
        grace.total_seconds(),
    )


def ends_unwritten(job_ids: list[UUID]) -> None:
    if job_ids:
        _logger.error(
            "The database did not take how %d jobs ended: %s. Their leases run out, and they are run again.",
            len(job_ids),
            _list(job_ids),
        )


def fetch_conflict(queue: str) -> None:
    _logger.debug("Queue %s has its one job of this kind running already.", queue)


def jobs_rescued(job_ids: list[UUID]) -> None:
    _logger.warning(
        "%d jobs whose workers fell silent were taken back: %s",
        len(job_ids),
        _list(job_ids),
    )


def worker_troubled(queue: str, error: BaseException) -> None:
    _logger.warning("A worker of queue %s had trouble, and goes on: %s", queue, _line(error))


def handler_overrun(queue: str, seconds: int) -> None:
    _logger.warning(
        "A handler of queue %s runs on though it was cancelled after %d s. Its jobs have failed; its worker waits for "
        "it. Let it end on CancelledError.",
        queue,
        seconds,
    )


def handler_failed_late(queue: str, error: BaseException) -> None:
    _logger.warning("A handler of queue %s that was cancelled ended with an error: %r", queue, error)


def jobs_not_failed(queue: str, job_ids: list[UUID], error: BaseException) -> None:
    _logger.error(
        "%d jobs of queue %s were given up at the shutdown, and could not be failed, so that they expire: %s (%s)",
        len(job_ids),
        queue,
        _list(job_ids),
        _line(error),
    )


def _list(job_ids: list[UUID]) -> str:
    return ", ".join(str(job_id) for job_id in job_ids[:10]) + (" …" if len(job_ids) > 10 else "")


def supervision_warning(message: str) -> None:
    _logger.warning("%s", message)


def queue_pruned(queue: str, deleted: int) -> None:
    _logger.info("%d rows that queue %s kept too long were deleted.", deleted, queue)


def jobs_swept(job_ids: list[UUID]) -> None:
    _logger.warning("%d jobs that Node claimed and nobody works on were failed: %s", len(job_ids), _some(job_ids))


def jobs_vanished(job_ids: list[UUID]) -> None:
    _logger.warning("%d jobs were deleted in pg-boss, and are cancelled: %s", len(job_ids), _some(job_ids))


def schedule_not_sent(queue: str, key: str, problem: str) -> None:
    _logger.warning("The schedule of queue %s (key %r) came due, and its job was not sent: %s", queue, key, problem)


def registry_not_left(error: BaseException) -> None:
    _logger.info("pg-boss's registry was not told that this worker stopped; its heartbeat ends: %s", _line(error))


def _some(job_ids: list[UUID]) -> str:
    return ", ".join(str(job_id) for job_id in job_ids[:10]) + (" …" if len(job_ids) > 10 else "")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
