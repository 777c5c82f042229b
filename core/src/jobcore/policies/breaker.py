"""A circuit breaker: after enough failures in a row a peer is left alone for a while (Q01)."""

from __future__ import annotations

import math
from enum import StrEnum

from jobcore.errors import InputError


class BreakerState(StrEnum):
    CLOSED = "closed"
    """Calls pass."""
    OPEN = "open"
    """Calls are refused until the cool-down is over."""
    HALF_OPEN = "half_open"
    """One probe is out; its outcome closes the circuit or opens it again."""


class CircuitBreaker:
    """Counts failures in a row and says whether the next call may be tried.

    It keeps no clock, no thread and no lock: every call takes `now` in monotonic seconds, and one event loop or the
    caller's own lock guards it.

    Args:
        failure_threshold: how many failures in a row open the circuit.
        cool_down: seconds until a probe may pass; infinity keeps it open until `reset` (B15).

    Raises:
        InputError: if a value cannot be meant.
    """

    def __init__(self, failure_threshold: int = 5, cool_down: float = 30.0) -> None:
        self._failures = 0
        self._opened_at: float | None = None
        self._probe_at: float | None = None
        self.adjust(failure_threshold, cool_down)

    def adjust(self, failure_threshold: int, cool_down: float) -> None:
        """Go by other numbers from now on; what was counted stays. Raises `InputError` as the constructor."""
        if failure_threshold < 1:
            raise InputError(f"failure_threshold must be at least 1, not {failure_threshold!r}.")
        if math.isnan(cool_down) or cool_down <= 0:
            raise InputError(f"cool_down must be a number of seconds above zero, not {cool_down!r}.")
        self._threshold = failure_threshold
        self._cool_down = cool_down

    @property
    def failures(self) -> int:
        """How many failures in a row were recorded."""
        return self._failures

    @property
    def state(self) -> BreakerState:
        if self._opened_at is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._probe_at is None else BreakerState.HALF_OPEN

    def allow(self, now: float) -> bool:
        """Return whether a call may be tried now, and count it as the probe if the circuit was open.

        A probe that never reports back is given up after one more cool-down, and the next call is the probe.
        """
        if self._opened_at is None:
            return True
        if self.retry_in(now) > 0:
            return False
        self._probe_at = now
        return True

    def retry_in(self, now: float) -> float:
        """Return the seconds until `allow` can be true, never more than one cool-down; 0 if it is."""
        if self._opened_at is None:
            return 0.0
        since = self._opened_at if self._probe_at is None else self._probe_at
        remaining = since + self._cool_down - now  # rounding may add some bits to a whole cool-down
        return min(max(0.0, remaining), self._cool_down)

    def record_success(self) -> None:
        """Record a call that worked. While the circuit is open without a probe it is old news and changes nothing."""
        if self.state is not BreakerState.OPEN:
            self.reset()

    def record_failure(self, now: float) -> bool:
        """Record a call that failed; return whether this opened the circuit.

        Calls that began before the circuit opened and fail late do not prolong the cool-down.
        """
        if self.state is BreakerState.OPEN:
            return False
        self._failures += 1
        if self.state is BreakerState.CLOSED and self._failures < self._threshold:
            return False
        self._opened_at = now
        self._probe_at = None
        return True

    def reset(self) -> None:
        """Close the circuit and forget the failures."""
        self._failures = 0
        self._opened_at = None
        self._probe_at = None
