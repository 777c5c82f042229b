"""All log wording of the storage."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from jobcore.errors import JobcoreError
from jobcore.models import Schedule
from jobcore.states import JobState

_log = logging.getLogger("jobcore.postgres")


def schedule_unusable(schedule: Schedule, error: JobcoreError) -> None:
    _log.error(
        "Schedule %r of tenant %s stands still, for its times cannot be computed: %s Replace it to set it going.",
        schedule.key,
        schedule.tenant,
        error,
    )


def fire_refused(schedule: Schedule, fire_time: datetime | None, error: JobcoreError) -> None:
    _log.error(
        "Schedule %r of tenant %s made no job for %s: %s",
        schedule.key,
        schedule.tenant,
        fire_time,
        error,
    )


def fires_missed(schedule: Schedule, fires: int, error: JobcoreError) -> None:
    _log.warning(
        "Schedule %r of tenant %s made no job for %d of its times: %s",
        schedule.key,
        schedule.tenant,
        fires,
        error,
    )


def jobs_pruned(jobs: int, details: int) -> None:
    _log.info("Deleted %d jobs that need not be kept any more, with %d details.", jobs, details)


def pruning_too_slow(tenant: UUID, state: JobState) -> None:
    _log.warning(
        "Left the old %s jobs of tenant %s for the next time: the database takes too long for even a few of them.",
        state,
        tenant,
    )


def details_held(tenant: UUID, state: JobState) -> None:
    _log.info("Left the old %s jobs of tenant %s for the next time: somebody holds their details.", state, tenant)


def watching_interrupted(error: Exception) -> None:
    _log.warning("Lost the connection that tells of progress (%s): watched jobs are looked at until it is back.", error)
