"""The breaker of an endpoint: whether a delivery may go, and what its outcome means for those after it (B15).

Pure rules over a subscription's standing, which is stored. After five failures in a row nothing is sent for a minute;
then one delivery probes. A success enables the subscription again; a failure doubles the pause, up to six hours. An
endpoint that fails a probe after a week, or says that it is gone, is probed no more. Time alone ends nothing: where
changes are rare, a week may pass without a delivery that could have probed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from jobcore_handlers.webhooks.delivery import Delivery

DISABLED_AFTER = 5
"""Consecutive failures after which a subscription is disabled."""
COOL_DOWN = timedelta(minutes=1)
LONGEST_COOL_DOWN = timedelta(hours=6)
GIVEN_UP_AFTER = timedelta(days=7)
PROBE_TIME = timedelta(seconds=30)
"""How long a probe may take before another one goes: that of the handler."""
GONE, TOO_MANY_REQUESTS = 410, 429


class Turn(StrEnum):
    """What a delivery may do."""

    GO = "go"
    PROBE = "probe"
    WAIT = "wait"
    """Until `resume_at`."""
    END = "end"
    """Nothing is sent any more, until somebody enables the subscription."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an endpoint stands. Times are the database's."""

    is_enabled: bool = True
    consecutive_failures: int = 0
    failed_probes: int = 0
    resume_at: datetime | None = None
    disabled_at: datetime | None = None
    disabled_reason: str | None = None

    @property
    def has_ended(self) -> bool:
        return not self.is_enabled and self.resume_at is None


def whose_turn(standing: Standing, now: datetime) -> Turn:
    """Return what a delivery may do now."""
    if standing.has_ended:
        return Turn.END
    if standing.resume_at is not None and now < standing.resume_at:
        return Turn.WAIT
    return Turn.GO if standing.is_enabled else Turn.PROBE


def begin_probe(standing: Standing, now: datetime) -> Standing:
    """Let nobody else probe meanwhile; if this probe's worker dies, another one goes after its time."""
    return replace(standing, resume_at=now + PROBE_TIME)


def judge(standing: Standing, delivery: Delivery, now: datetime, *, is_probe: bool) -> Standing:
    """Return how the endpoint stands after a delivery.

    A 429 is no failure of the endpoint: it pauses its deliveries, and counts for nothing. Deliveries that were under
    way when the subscription was disabled lengthen no pause.
    """
    if standing.has_ended:
        return standing
    if delivery.is_delivered:
        return Standing(resume_at=standing.resume_at if standing.is_enabled else None)
    if delivery.status_code == GONE:
        return _ended(standing, now, f"The endpoint answered {GONE}: it is gone for good")
    counted = 0 if delivery.status_code == TOO_MANY_REQUESTS else 1
    failed = replace(standing, consecutive_failures=standing.consecutive_failures + counted)
    if not standing.is_enabled:
        return _after_probe(failed, delivery, now) if is_probe else failed
    if failed.consecutive_failures >= DISABLED_AFTER:
        return _disabled(failed, delivery, now)
    return replace(failed, resume_at=_later(standing.resume_at, delivery, now))


def cool_down(failed_probes: int) -> timedelta:
    """Return the pause after so many probes that failed."""
    return min(COOL_DOWN * 2 ** min(failed_probes, 20), LONGEST_COOL_DOWN)


def _ended(standing: Standing, now: datetime, reason: str) -> Standing:
    since = standing.disabled_at or now
    return replace(standing, is_enabled=False, resume_at=None, disabled_at=since, disabled_reason=reason)


def _disabled(failed: Standing, delivery: Delivery, now: datetime) -> Standing:
    reason = f"{failed.consecutive_failures} deliveries in a row failed"
    resume_at = _later(now + cool_down(0), delivery, now)
    return replace(failed, is_enabled=False, resume_at=resume_at, disabled_at=now, disabled_reason=reason)


def _after_probe(failed: Standing, delivery: Delivery, now: datetime) -> Standing:
    since = failed.disabled_at or now
    if now - since >= GIVEN_UP_AFTER and delivery.status_code != TOO_MANY_REQUESTS:
        reason = f"Not one delivery succeeded in {GIVEN_UP_AFTER.days} days ({failed.disabled_reason})"
        return _ended(failed, now, reason)
    probes = failed.failed_probes + 1
    return replace(failed, failed_probes=probes, resume_at=_later(now + cool_down(probes), delivery, now))


def _later(resume_at: datetime | None, delivery: Delivery, now: datetime) -> datetime | None:
    asked = None if delivery.retry_after is None else now + delivery.retry_after
    return max((at for at in (resume_at, asked) if at is not None), default=None)
