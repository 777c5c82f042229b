"""The settings of the background duties: `[tool.jobcore.pgboss.supervision]`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

LONGEST_INTERVAL = 86_400
"""A day: pg-boss's own bound, as all others of the duties that it has too."""


class SupervisionSettings(BaseModel):
    """When workers do pg-boss's background duties. All times are in seconds; defaults and bounds are Node's, where it
    has them.

    Of all instances, Node's and ours, one does each duty in an interval.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    enabled: bool = True
    """Whether workers prune, sweep, count, mirror and see to flows; what Node works is mirrored into `jobs` only so."""
    schedule: bool = True
    """Whether workers fire pg-boss's own schedules (rows of `pgboss.schedule`)."""
    maintenance_interval_seconds: float = Field(default=86_400, ge=1, le=LONGEST_INTERVAL)
    """How often each queue is pruned of the rows that it keeps too long."""
    monitor_interval_seconds: float = Field(default=60, ge=1, le=LONGEST_INTERVAL)
    """How often each queue is counted, and swept of jobs that Node claimed and nobody works on."""
    look_interval_seconds: float = Field(default=60, ge=1, le=LONGEST_INTERVAL)
    """How often a worker looks whether a queue is due to be pruned or counted."""
    cron_interval_seconds: float = Field(default=30, ge=1, le=45)
    """How often due schedules are looked for; at most 45, as an occurrence stays due for a minute."""
    flow_interval_seconds: float = Field(default=5, ge=1)
    """How often the children of completed flow parents are let run."""
    mirror_interval_seconds: float = Field(default=5, gt=0)
    """How often the ends of jobs that Node worked are written into `jobs`."""
    mirror_overlap_seconds: float = Field(default=10, ge=0)
    """How far each look reaches back behind the one before: an end may be committed that long after its time stamp."""
    vanished_grace_seconds: float = Field(default=60, ge=0)
    """How long a job may be without its queue row before it counts as deleted in pg-boss, and is cancelled."""
    heartbeat_seconds: int = Field(default=30, ge=1, le=3600)
    """How often a worker's row in `pgboss.instance` is renewed."""
    warning_queue_size: int = Field(default=10_000, ge=1)
    """From how many waiting jobs on a queue is warned of, unless the queue says so itself."""
    slow_query_seconds: float = Field(default=30, gt=0)
    """From which duration of a duty's statement on it is warned of."""
    persist_warnings: bool = False
    """Whether warnings stand in `pgboss.warning` too, and not in the log only."""
    warning_retention_days: int = Field(default=365, ge=1, le=365)
    """How long warnings stand there."""
