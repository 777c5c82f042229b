"""How long a schedule's job waits after its fire, so that many schedules of one time do not run at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

from jobcore.models import Schedule


def fire_jitter(schedule: Schedule, fire_time: datetime) -> timedelta:
    """Return the delay of one fire: from nothing to below the schedule's jitter, the same whoever computes it."""
    digest = sha256(f"{schedule.schedule_id} {fire_time.timestamp()}".encode()).digest()
    return schedule.jitter * (int.from_bytes(digest[:8]) / 2**64)
