"""When a failed job is tried again, and when it is not."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from math import isfinite
from typing import Any, cast

from jobcore.errors import InputError, InvalidHandlerError, NonRetryableError

ErrorName = str | type[BaseException]

MAX_ATTEMPTS = 1_000
MAX_INTERVAL = timedelta(days=365)


class InvalidRetryPolicyError(InvalidHandlerError, InputError):
    """A retry policy holds a value that cannot be meant; `field` and `value` say which."""

    def __init__(self, field: str, value: object, accepted: str) -> None:
        self.field = field
        self.value = value
        super().__init__(f"RetryPolicy: {field} must be {accepted}, not {value!r}.")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, how soon and after which errors a job is tried again (R14).

    The delay before attempt `n` is `initial_interval * backoff_coefficient ** (n - 2)`, at most `max_interval`.

    Args:
        max_attempts: all attempts, the first included; 1 never retries.
        initial_interval: the delay before the second attempt.
        backoff_coefficient: what each further delay is multiplied by; 1.0 keeps it constant.
        max_interval: no delay is longer.
        jitter: the share of a delay, 0.0 to 1.0, that chance may take off; 0.5 spreads over the upper half.
        non_retryable_errors: exception types, class names (`"ValueError"`) or qualified names (`"shop.errors.Gone"`);
            an error that has one of them among its classes is final.

    Raises:
        InvalidRetryPolicyError: if a value cannot be meant.
    """

    max_attempts: int = 3
    initial_interval: timedelta = timedelta(seconds=1)
    backoff_coefficient: float = 2.0
    max_interval: timedelta = timedelta(seconds=30)
    jitter: float = 0.0
    non_retryable_errors: tuple[ErrorName, ...] = ()

    def __post_init__(self) -> None:
        _check_attempts(self.max_attempts)
        _check_interval("initial_interval", self.initial_interval)
        _check_interval("max_interval", self.max_interval)
        if self.max_interval < self.initial_interval:
            raise InvalidRetryPolicyError(
                "max_interval", self.max_interval, f"at least initial_interval ({self.initial_interval})"
            )
        _check_number("backoff_coefficient", self.backoff_coefficient, low=1.0, high=100.0)
        _check_number("jitter", self.jitter, low=0.0, high=1.0)
        object.__setattr__(self, "non_retryable_errors", _checked_errors(self.non_retryable_errors))

    @classmethod
    def from_milliseconds(
        cls,
        max_attempts: int = 3,
        backoff_coefficient: float = 2.0,
        initial_interval_ms: float = 1_000,
        max_interval_ms: float = 30_000,
        non_retryable_errors: Iterable[ErrorName] = (),
    ) -> RetryPolicy:
        """Return the policy that the founding documents write in milliseconds (R14, R16).

        Raises:
            InvalidRetryPolicyError: if a value cannot be meant.
        """
        _check_number("initial_interval_ms", initial_interval_ms, low=0, high=MAX_INTERVAL / timedelta(milliseconds=1))
        _check_number("max_interval_ms", max_interval_ms, low=0, high=MAX_INTERVAL / timedelta(milliseconds=1))
        return cls(
            max_attempts=max_attempts,
            initial_interval=timedelta(milliseconds=initial_interval_ms),
            backoff_coefficient=backoff_coefficient,
            max_interval=timedelta(milliseconds=max_interval_ms),
            non_retryable_errors=_checked_errors(non_retryable_errors),
        )

    def beginning_with(self, delay: timedelta) -> RetryPolicy:
        """Return this policy with `delay` before the second attempt. Raises `InvalidRetryPolicyError`."""
        return replace(self, initial_interval=delay, max_interval=max(delay, self.max_interval))

    def delay_before(self, attempt: int, rng: random.Random | None = None) -> timedelta:
        """Return how long to wait before `attempt` runs; nothing before the first.

        Args:
            attempt: the number of the attempt that is about to run, 2 for the first retry.
            rng: where the jitter comes from; the process's own by default.
        """
        if attempt <= 1:
            return timedelta()
        delay = min(self._backed_off(attempt - 2), self.max_interval)
        if self.jitter:
            chance = (rng or random).random()
            delay *= 1.0 - self.jitter * chance
        return delay

    def is_retryable(self, error: BaseException) -> bool:
        """Return whether an attempt that ended with `error` may be tried again, if attempts are left.

        A group of errors is final if one of its members is.
        """
        if isinstance(error, BaseExceptionGroup):
            members = cast("BaseExceptionGroup[BaseException]", error).exceptions
            return all(self.is_retryable(member) for member in members)
        if isinstance(error, NonRetryableError):
            return False
        names = {name for kind in type(error).__mro__ for name in (kind.__name__, _qualified(kind))}
        return not any(
            wanted in names if isinstance(wanted, str) else isinstance(error, wanted)
            for wanted in self.non_retryable_errors
        )

    def _backed_off(self, doublings: int) -> timedelta:
        try:
            return self.initial_interval * self.backoff_coefficient**doublings
        except OverflowError:
            return self.max_interval


def _check_attempts(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_ATTEMPTS:
        raise InvalidRetryPolicyError("max_attempts", value, f"a whole number from 1 to {MAX_ATTEMPTS}")


def _check_interval(field: str, value: Any) -> None:
    if not isinstance(value, timedelta) or not timedelta() <= value <= MAX_INTERVAL:
        raise InvalidRetryPolicyError(field, value, f"a timedelta from zero to {MAX_INTERVAL.days} days")


def _check_number(field: str, value: Any, *, low: float, high: float) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not isfinite(value) or not low <= value <= high:
        raise InvalidRetryPolicyError(field, value, f"a number from {low:g} to {high:g}")


def _checked_errors(value: Any) -> tuple[ErrorName, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise InvalidRetryPolicyError("non_retryable_errors", value, "a list of exception types or names")
    errors = tuple(cast("Iterable[Any]", value))
    for error in errors:
        if not _is_exception_type(error) and not (isinstance(error, str) and error.strip()):
            raise InvalidRetryPolicyError("non_retryable_errors", error, "exception types or their names")
    return errors


def _is_exception_type(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def _qualified(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


DEFAULT_RETRY = RetryPolicy()
"""Three attempts, after 1 and 2 seconds, doubling up to 30 seconds (R15)."""

PGBOSS_GUIDE_RETRY = RetryPolicy(max_attempts=3, initial_interval=timedelta(seconds=5), max_interval=timedelta(hours=1))
"""The pg-boss guide's two retries: 5 seconds, then 10, and 20 if more attempts are allowed (G13)."""
