"""The options of `work`; what pg-boss refuses is refused here, with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from jobcore.errors import InputError
from jobcore_pgboss.boss.fetching import FetchOptions, check_fetch_options

SHORTEST_POLL = 0.5
"""Seconds: pg-boss's bound."""
POLL = 2.0
POLL_WITH_NOTIFICATIONS = 30.0
"""pg-boss's defaults."""


class WorkOptions(TypedDict, total=False):
    """How a queue is worked. Times are in seconds."""

    batch_size: int
    """How many jobs the handler gets at once, at most; 1."""
    polling_interval_seconds: float
    """How often to look for jobs; 2."""
    notify_polling_interval_seconds: float
    """How often, while notifications of this queue are heard; 30."""
    burst_when_batch_full: bool
    """Look again at once after a full batch of more than one."""
    burst_when_ready_exceeds: int
    """The same, while more jobs than this were ready when the queue was last counted."""
    local_concurrency: int
    """How many handlers run at once; 1."""
    group_concurrency: int | Mapping[str, Any]
    """As `fetch` takes it."""
    min_priority: int
    max_priority: int
    """As `fetch` takes them."""
    heartbeat_refresh_seconds: float
    """How often the heartbeat of running jobs is renewed; half of the shortest."""
    per_job_results: bool
    """The handler answers a list of `JobResult`, and each job ends by its own."""
    transaction_timeout_seconds: int
    """After which time the server ends the transaction of a `transactional` handler; 5 more than its jobs expire in."""


@dataclass(frozen=True, slots=True)
class WorkPlan:
    """The same, checked and complete."""

    batch_size: int = 1
    include_metadata: bool = False
    polling_interval_seconds: float = POLL
    notify_polling_interval_seconds: float = POLL_WITH_NOTIFICATIONS
    burst_when_batch_full: bool = False
    burst_when_ready_exceeds: int | None = None
    local_concurrency: int = 1
    group_concurrency: int | Mapping[str, Any] | None = None
    min_priority: int | None = None
    max_priority: int | None = None
    heartbeat_refresh_seconds: float | None = None
    per_job_results: bool = False
    transactional: bool = False
    transaction_timeout_seconds: int | None = None

    @property
    def fetch_options(self) -> FetchOptions:
        """How each fetch is made."""
        options: FetchOptions = {"batch_size": self.batch_size, "group_concurrency": self.group_concurrency}
        if self.min_priority is not None:
            options["min_priority"] = self.min_priority
        if self.max_priority is not None:
            options["max_priority"] = self.max_priority
        return options


def plan_work(options: Mapping[str, Any]) -> WorkPlan:
    """Return what these options mean. Raises `InputError`."""
    given = dict(options)
    if unknown := sorted(given.keys() - set(WorkPlan.__slots__)):
        raise InputError(f"work: unknown options: {', '.join(unknown)}; there are {', '.join(WorkPlan.__slots__)}.")
    poll = given.get("polling_interval_seconds", POLL)
    given.setdefault("notify_polling_interval_seconds", max(POLL_WITH_NOTIFICATIONS, poll))
    plan = WorkPlan(**given)
    check_fetch_options(plan.fetch_options)
    _whole("local_concurrency", plan.local_concurrency)
    if plan.burst_when_ready_exceeds is not None:
        _whole("burst_when_ready_exceeds", plan.burst_when_ready_exceeds)
    for name in ("include_metadata", "burst_when_batch_full", "per_job_results", "transactional"):
        _require(isinstance(getattr(plan, name), bool), f"{name} must be either True or False")
    _require(poll >= SHORTEST_POLL, f"polling_interval_seconds must be at least {SHORTEST_POLL}, not {poll!r}")
    _require(
        plan.notify_polling_interval_seconds >= poll,
        "notify_polling_interval_seconds must be at least polling_interval_seconds",
    )
    _require(
        not (plan.transactional and plan.per_job_results),
        "transactional cannot be combined with per_job_results: one transaction commits as a whole",
    )
    if (bound := plan.transaction_timeout_seconds) is not None:
        _require(plan.transactional, "transaction_timeout_seconds requires transactional")
        _whole("transaction_timeout_seconds", bound, least=0)
    refresh = plan.heartbeat_refresh_seconds
    _require(refresh is None or refresh > 0, f"heartbeat_refresh_seconds must be more than 0, not {refresh!r}")
    return plan


def _whole(name: str, value: Any, *, least: int = 1, most: int | None = None) -> None:
    fits = isinstance(value, int) and not isinstance(value, bool) and value >= least and (most is None or value <= most)
    upper = "" if most is None else f" and at most {most:,}"
    _require(fits, f"{name} must be a whole number of at least {least}{upper}, not {value!r}")


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise InputError(f"work: {problem}.")
