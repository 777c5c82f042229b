"""What a handler may say beside "done" and "failed": raise one of these, or return it."""

from __future__ import annotations

from datetime import timedelta

from jobcore.errors import InputError

LONGEST_WAIT = timedelta(days=3660)
"""No wait is longer; further ahead lie instants that a Python datetime cannot hold."""


class JobOutcome(Exception):
    """The root of the outcomes that a handler chooses itself.

    They are exceptions, so that they can be raised from anywhere below a handler; returning one means the same.
    """


class Retry(JobOutcome):
    """This attempt failed; try again, if an attempt is left.

    Args:
        reason: why, for the record.
        after: how long to wait; by default the handler's retry policy says.

    Raises:
        InputError: if `after` is negative, longer than ten years, or no `timedelta`.
    """

    def __init__(self, reason: str = "The handler asked for a retry.", *, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = None if after is None else _checked("Retry(after=)", after)


class Snooze(JobOutcome):
    """Not now: run this job again after `for_`. Costs no attempt, and records none.

    Raises:
        InputError: if `for_` is negative, longer than ten years, or no `timedelta`.
    """

    def __init__(self, for_: timedelta) -> None:
        self.for_ = _checked("Snooze(for_)", for_)
        super().__init__(f"Snoozed for {for_}.")


class Cancel(JobOutcome):
    """This job is no longer wanted: it ends as `cancelled`, with `reason` on record.

    Raises:
        InputError: if `reason` is no text.
    """

    def __init__(self, reason: str = "The handler cancelled its job.") -> None:
        if not isinstance(reason, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers may not be typed
            raise InputError(f"Cancel takes its reason as text, not {type(reason).__qualname__}.")
        super().__init__(reason)
        self.reason = reason


class HandlerInterrupt(BaseException):
    """Raised inside a `def` handler that must stop: its time is over, or its job is no longer wanted.

    It is no `Exception`, so that a handler's `except Exception` does not hold it up; `finally` blocks run.
    """


def _checked(what: str, value: object) -> timedelta:
    if not isinstance(value, timedelta) or not timedelta() <= value <= LONGEST_WAIT:
        raise InputError(f"{what} takes a timedelta from zero to {LONGEST_WAIT.days} days, not {value!r}.")
    return value
