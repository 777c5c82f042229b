"""All that the app room writes to the log."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from jobcore.errors import JobcoreError

if TYPE_CHECKING:
    from jobcore.app.reload import Reload
from jobcore.models import Schedule

_logger = logging.getLogger("jobcore.app")


def worker_started(
    worker_id: UUID, runners: Iterable[str], queues: Mapping[str, frozenset[str]], concurrency: int
) -> None:
    handlers = sorted(name for names in queues.values() for name in names)
    _logger.info(
        "Worker %s started on %s: %d handlers in %d queues, %d jobs at a time",
        worker_id,
        ", ".join(runners),
        len(handlers),
        len(queues),
        concurrency,
        extra={"workerId": str(worker_id), "handlers": handlers, "queues": sorted(queues)},
    )
    for queue, names in sorted(queues.items()):
        _logger.info("Queue %s: %s", queue, ", ".join(sorted(names)), extra={"queue": queue, "handlers": sorted(names)})


def worker_without_handlers(worker_id: UUID) -> None:
    _logger.warning(
        "Worker %s has no handlers, so it runs nothing: name modules of definitions in the setting 'handlers', "
        "or register definitions before it starts",
        worker_id,
    )


def queues_unserved(queues: Mapping[str, frozenset[str]]) -> None:
    for queue, names in sorted(queues.items()):
        _logger.warning(
            "Queue %s is served by no live worker, and this one leaves it out: jobs %s will wait",
            queue,
            ", ".join(sorted(names)),
            extra={"queue": queue, "handlers": sorted(names)},
        )


def queue_differs(handler: str, here: str, there: str, worker_id: UUID) -> None:
    _logger.warning(
        "Job %s is enqueued to queue %s here and expected in queue %s by worker %s: deploy one of them again",
        handler,
        here,
        there,
        worker_id,
        extra={"job": handler, "queue": here},
    )


def worker_not_announced(worker_id: UUID, error: JobcoreError) -> None:
    _logger.warning("Worker %s could not announce itself and will try again: %s", worker_id, error)


def payloads_not_announced(worker_id: UUID, error: JobcoreError) -> None:
    _logger.warning(
        "Worker %s could not record what its payloads look like, for 'jobcore check' to compare; it works all the "
        "same: %s",
        worker_id,
        error,
    )


def worker_not_retired(worker_id: UUID, error: JobcoreError | TimeoutError) -> None:
    reason = str(error) or "the store does not answer"
    _logger.warning("Worker %s could not sign off; it will count as gone within a minute: %s", worker_id, reason)


def upkeep_failed(error: JobcoreError) -> None:
    _logger.warning("The storage's housekeeping could not be done and will be tried again: %s", error)


def fires_missed(schedule: Schedule, fires: int, error: JobcoreError) -> None:
    _logger.warning(
        "Schedule %r of tenant %s made no job for %d of its times: %s", schedule.key, schedule.tenant, fires, error
    )


def worker_stopped(worker_id: UUID) -> None:
    _logger.info("Worker %s stopped", worker_id, extra={"workerId": str(worker_id)})


def settings_asked_for(who: str) -> None:
    _logger.info("%s: the settings are read anew", who)


def settings_reloaded(done: Reload) -> None:
    """One line for each change; only values of settings that can change, none of which is a secret."""
    for change in done.applied:
        _logger.info(
            "Setting %s: %s is now %s",
            change.key,
            "the default" if change.old is None else change.old,
            "the default" if change.new is None else change.new,
            extra={"setting": change.key},
        )
    for key in done.refused:
        _logger.warning(
            "Setting %s has changed, and cannot change while this runs: it counts from the next start on",
            key,
            extra={"setting": key},
        )
    for warning in done.warnings:
        _logger.warning("%s", warning)
    if not done.applied and not done.refused:
        _logger.info("No setting has changed")


def settings_not_reloaded(error: JobcoreError) -> None:
    _logger.error("All settings stay as they were: %s", error)


def cutover_warning(text: str) -> None:
    _logger.warning("Cutover: %s", text)


def stopping_on(who: str) -> None:
    _logger.info("%s: no new jobs; waiting for the running ones. A second signal hands them back", who)


def stopping_now(who: str) -> None:
    _logger.warning("%s: running jobs are handed back", who)


def handlers_registered(names: Iterable[str]) -> None:
    registered = sorted(names)
    _logger.info(
        "%d job handlers registered: %s", len(registered), ", ".join(registered), extra={"handlers": registered}
    )
