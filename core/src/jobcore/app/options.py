"""The options of an enqueue, checked: what a caller wrote, as the values that the plan needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from math import isfinite
from typing import Any, cast
from uuid import UUID

import orjson

from jobcore.errors import InputError, NaiveDatetimeError, PayloadLimitError
from jobcore.ids import NO_USER
from jobcore.limits import MAX_RESULT_BYTES, PayloadLimits, bounded_text, check_key, encode_payload
from jobcore.models import OnConflict, OnFailure, Parent
from jobcore.policies.dedupe import check_rule
from jobcore.policies.retry import MAX_ATTEMPTS
from jobcore.ports.handle import EnqueueOptions

KNOWN = frozenset(EnqueueOptions.__annotations__)
LOWEST_PRIORITY, HIGHEST_PRIORITY = -(2**31), 2**31 - 1
LONGEST_DELAY = timedelta(days=3660)
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Beyond them an instant is a mistake, and in some time zone no datetime holds it: its row could not be read."""
LONGEST_REASON = 4_000
MOST_PARENTS = 10_000
_METADATA_LIMITS = PayloadLimits(max_bytes=MAX_RESULT_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedOptions:
    """`EnqueueOptions` whose every value can be meant; `None` leaves the choice to the handler or the settings."""

    tenant: UUID | str | None = None
    delay: timedelta | None = None
    run_at: datetime | None = None
    priority: int | None = None
    runner: str | None = None
    max_attempts: int | None = None
    dedupe_key: str | None = None
    on_conflict: OnConflict | None = None
    window: timedelta | None = None
    user_id: UUID = NO_USER
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    job_id: UUID | None = None
    parent_job_id: UUID | None = None
    after: tuple[Parent, ...] = ()
    tier: str | None = None
    remote: bool = False
    connection: Any = None


_NOTHING_SAID = CheckedOptions()


def check_options(options: EnqueueOptions) -> CheckedOptions:
    """Return the options as the plan needs them.

    Raises:
        TypeError: if there is no option of this name; names near ones.
        NaiveDatetimeError: if `run_at` has no time zone.
        InputError: if a value cannot be meant, or `delay` and `run_at` are both given.
    """
    if not options:
        return _NOTHING_SAID
    _check_names(options)
    delay, run_at = as_delay(options.get("delay")), _as_run_at(options.get("run_at"))
    if delay is not None and run_at is not None:
        raise InputError("Give either delay or run_at, not both: each says when the job may run.")
    dedupe_key = options.get("dedupe_key")
    window = as_delay(options.get("window"))
    return CheckedOptions(
        tenant=options.get("tenant"),
        delay=delay,
        run_at=run_at,
        priority=as_whole("priority", options.get("priority"), LOWEST_PRIORITY, HIGHEST_PRIORITY),
        runner=options.get("runner"),
        max_attempts=as_attempts(options.get("max_attempts")),
        dedupe_key=None if dedupe_key is None else check_key("dedupe_key", dedupe_key),
        on_conflict=_as_rule(options.get("on_conflict"), window, dedupe_key),
        window=window,
        user_id=as_uuid("user_id", options.get("user_id")) or NO_USER,
        metadata=_as_metadata(options.get("metadata")),
        job_id=as_uuid("job_id", options.get("job_id")),
        parent_job_id=as_uuid("parent_job_id", options.get("parent_job_id")),
        after=_as_parents(options.get("after"), options.get("on_parent_failure")),
        tier=options.get("tier"),
        remote=bool(options.get("remote")),
        connection=options.get("connection"),
    )


def _as_rule(rule: Any, window: timedelta | None, dedupe_key: Any) -> OnConflict | None:
    if rule is None and window is None:
        return None
    if dedupe_key is None:
        raise InputError("on_conflict and window are about jobs with the same dedupe_key, and there is none.")
    return check_rule(OnConflict.SKIP if rule is None else rule, window)


def _as_parents(after: Any, on_failure: Any) -> tuple[Parent, ...]:
    """Return the jobs that have to end first, each once."""
    if not after:
        if on_failure is not None:
            raise InputError("on_parent_failure says what happens if a job of after= fails, and there is none.")
        return ()
    if isinstance(after, str | UUID) or not isinstance(after, Iterable):
        raise InputError(f"after takes a list of jobs, by handle or id, not {type(after).__name__}.")
    try:
        policy = OnFailure(on_failure or OnFailure.CANCEL)
    except ValueError:
        raise InputError(f"on_parent_failure is 'cancel', 'run' or 'wait', not {on_failure!r}.") from None
    ids = [as_uuid("after", getattr(job, "job_id", job)) for job in cast("Iterable[Any]", after)]
    if None in ids:
        raise InputError("after names jobs, and None is none.")
    if len(ids) > MOST_PARENTS:
        raise InputError(f"after names {len(ids):,} jobs; at most {MOST_PARENTS:,} are accepted.")
    return tuple(Parent(job_id, policy) for job_id in dict.fromkeys(cast("list[UUID]", ids)))


def as_delay(value: timedelta | float | None) -> timedelta | None:
    """Return a delay given as a `timedelta` or in seconds; nothing for none. Raises `InputError`."""
    if value is None:
        return None
    delay = value if isinstance(value, timedelta) else _seconds("delay", value)
    if not timedelta() <= delay <= LONGEST_DELAY:
        raise InputError(f"delay must be from zero to {LONGEST_DELAY.days} days, not {value!r}.")
    return delay or None


def as_timeout(value: timedelta | float | None) -> float | None:
    """Return a time-out given as a `timedelta` or in seconds, in seconds. Raises `InputError`."""
    if value is None:
        return None
    seconds = (value if isinstance(value, timedelta) else _seconds("timeout", value)).total_seconds()
    if seconds < 0:
        raise InputError(f"timeout must be zero or more, not {value!r}.")
    return seconds


def as_uuid(name: str, value: Any) -> UUID | None:
    """Return a UUID given as one or as text. Raises `InputError`."""
    if value is None or isinstance(value, UUID):
        return value
    try:
        return UUID(str(value))
    except ValueError:
        raise InputError(f"{name} must be a UUID, not {str(value)[:60]!r}.") from None


def as_instant(name: str, value: Any) -> datetime | None:
    """Return an instant, which has a time zone. Raises `NaiveDatetimeError`, `InputError`."""
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise InputError(f"{name} must be a datetime, not {type(value).__name__}.")
    if value.utcoffset() is None:
        raise NaiveDatetimeError(
            f"{name} {value.isoformat()} has no time zone, so that nobody can say which instant is meant; "
            "write datetime(..., tzinfo=UTC)."
        )
    return value


def as_whole(name: str, value: Any, low: int, high: int) -> int | None:
    """Return a whole number from `low` to `high`. Raises `InputError`."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{name} must be a whole number from {low} to {high}, not {value!r}.")
    return value


def as_attempts(value: Any) -> int | None:
    """Return how often a job is tried in all. Raises `InputError`."""
    return as_whole("max_attempts", value, 1, MAX_ATTEMPTS)


def as_remark(name: str, value: Any) -> str | None:
    """Return a text for the record, such as the reason of a cancellation, as it can be stored. Raises `InputError`."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise InputError(f"{name} must be text, not {type(value).__name__}.")
    return bounded_text(value, LONGEST_REASON)


def _check_names(options: EnqueueOptions) -> None:
    for name in options:
        if name not in KNOWN:
            near = get_close_matches(name, KNOWN, n=2)
            hint = f"; did you mean {' or '.join(near)}?" if near else f"; there are {', '.join(sorted(KNOWN))}."
            raise TypeError(f"An enqueue has no option {name!r}{hint}")


def _seconds(name: str, value: Any) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise InputError(f"{name} must be a timedelta or a number of seconds, not {value!r}.")
    try:
        return timedelta(seconds=value)
    except OverflowError:
        raise InputError(f"{name} of {value!r} seconds is out of range.") from None


def _as_run_at(value: Any) -> datetime | None:
    run_at = as_instant("run_at", value)
    if run_at is not None and not EARLIEST <= run_at < LATEST:
        raise InputError(f"run_at must lie from {EARLIEST:%Y} to {LATEST:%Y}, not at {run_at.isoformat()}.")
    return run_at


def _as_metadata(value: Any) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError(f"metadata must be a mapping, not {type(value).__name__}.")
    metadata = dict(cast("Mapping[str, Any]", value))
    try:
        return orjson.loads(encode_payload(metadata, _METADATA_LIMITS))  # as it will be read: nothing but JSON
    except PayloadLimitError as error:
        raise PayloadLimitError(str(error).replace("The payload", "The metadata")) from error
