"""The reasons that only pg-boss's queue knows, one a file. Light: the driver is imported when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping

from jobcore.ports.reasons import ReasonFinder
from jobcore_pgboss.reasons.flow_parents import WaitsForParents
from jobcore_pgboss.reasons.group_limit import GroupIsFull
from jobcore_pgboss.reasons.held_key import KeyIsHeld
from jobcore_pgboss.reasons.jobs_ahead import JobsAhead
from jobcore_pgboss.reasons.no_permission import NoPermission
from jobcore_pgboss.reasons.no_worker import NoWorker
from jobcore_pgboss.reasons.not_due import NotDue
from jobcore_pgboss.reasons.not_in_queue import NotInQueue
from jobcore_pgboss.reasons.running import IsClaimed
from jobcore_pgboss.reasons.workers_busy import WorkersAreBusy

__all__ = ["FINDERS"]

FINDERS: Mapping[str, ReasonFinder] = {
    "running": IsClaimed(),
    "not_in_queue": NotInQueue(),
    "not_due": NotDue(),
    "flow_parents": WaitsForParents(),
    "held_key": KeyIsHeld(),
    "group_limit": GroupIsFull(),
    "no_worker": NoWorker(),
    "workers_busy": WorkersAreBusy(),
    "jobs_ahead": JobsAhead(),
    "no_permission": NoPermission(),
}
"""By code."""
