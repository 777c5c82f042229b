"""The options of jobs and queues, by Node's names in snake_case; what pg-boss refuses is refused here, with the reason.

The rules are those of pg-boss 12's `attorney`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import Any, Literal, TypedDict
from uuid import UUID

from jobcore.errors import InputError, NaiveDatetimeError
from jobcore_pgboss.refusals import LONGEST_EXPIRATION, SHORTEST_HEARTBEAT

POLICIES = ("standard", "short", "singleton", "stately", "exclusive", "key_strict_fifo")

_NAME = re.compile(r"[\w.\-/]+", re.ASCII)


class Group(TypedDict, total=False):
    """Which group a job counts to, and its tier."""

    id: str
    tier: str


class JobDefaults(TypedDict, total=False):
    """What a job may say, and its queue says for all. Durations are in seconds."""

    expire_in_seconds: int
    retention_seconds: int
    delete_after_seconds: int
    retry_limit: int
    retry_delay: int
    retry_backoff: bool
    retry_delay_max: int | None
    heartbeat_seconds: int | None


class SendOptions(JobDefaults, total=False):
    """What a single job may say beside."""

    id: UUID | str
    priority: int
    start_after: float | str | datetime
    singleton_key: str
    singleton_seconds: int
    singleton_next_slot: bool
    group: Group
    dead_letter: str
    connection: Any


class UpdateOptions(JobDefaults, total=False):
    """Which jobs `update` and `upsert` mean, and what these may say beside."""

    id: UUID | str
    singleton_key: str
    match: Literal["newest", "oldest", "all"]
    priority: int
    start_after: float | str | datetime
    group: Group
    dead_letter: str | None
    connection: Any


def check_queue_name(name: str) -> str:
    """Return the name of a queue. Raises `InputError` for one that pg-boss refuses."""
    _require(bool(name), "The name of a queue must not be empty")
    return check_object_name(name, "The name of a queue")


def check_object_name(name: str, what: str) -> str:
    """Return a name. Raises `InputError` if it has characters that pg-boss refuses."""
    _require(
        isinstance(name, str) and _NAME.fullmatch(name) is not None,  # pyright: ignore[reportUnnecessaryIsInstance]
        f"{what} can only contain alphanumeric characters, underscores, hyphens, periods and slashes, not {name!r}",
    )
    return name


def check_defaults(options: Mapping[str, Any]) -> None:
    """Check what jobs and queues have in common. Raises `InputError`."""
    check_whole(options, "retry_limit", 0)
    check_whole(options, "retry_delay", 0)
    _require(isinstance(options.get("retry_backoff", False), bool), "retry_backoff must be either True or False")
    if options.get("retry_delay_max") is not None:
        _require(options.get("retry_backoff") is True, "retry_delay_max can only be set if retry_backoff is True")
        check_whole(options, "retry_delay_max", 0)
    check_whole(options, "expire_in_seconds", 1)
    _require(
        options.get("expire_in_seconds", 1) <= LONGEST_EXPIRATION,
        f"expire_in_seconds cannot exceed 24 hours ({LONGEST_EXPIRATION})",
    )
    check_whole(options, "retention_seconds", 1)
    check_whole(options, "delete_after_seconds", 0)
    if options.get("heartbeat_seconds") is not None:
        check_whole(options, "heartbeat_seconds", SHORTEST_HEARTBEAT)


def check_send_options(options: SendOptions) -> dict[str, Any]:
    """Return a job's options under Node's names, ready for JSON. Raises `InputError`, `NaiveDatetimeError`."""
    given = _checked(options, SendOptions)
    if "start_after" in given:
        given["start_after"] = start_after(given["start_after"])
    return node_names({key: value for key, value in given.items() if value is not None})


def check_update_options(options: UpdateOptions) -> dict[str, Any]:
    """As `check_send_options`; but what is `None` is taken back, and a start in the past stays one."""
    given = _checked(options, UpdateOptions)
    if "start_after" in given:
        given["start_after"] = _when(given["start_after"])
    return node_names(given)


def start_after(value: float | str | datetime) -> float | str | None:
    """Return when a job may start, as SQL reads it: seconds from now, or an instant; none for now.

    Raises `NaiveDatetimeError` for a time without a zone; text without one counts as UTC, as in Node.
    """
    when = _when(value)
    return when if isinstance(when, str) or when > 0 else None


def node_names(options: Mapping[str, Any]) -> dict[str, Any]:
    """Write options as Node writes them: in camelCase."""
    return {camel_case(key): value for key, value in options.items()}


def camel_case(name: str) -> str:
    """`retry_limit` as `retryLimit`."""
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def snake_case(name: str) -> str:
    """`retryLimit` as `retry_limit`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def check_queue_options(options: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    """Return a queue's options under Node's names. Raises `InputError`."""
    check_known(options, kind)
    check_defaults(options)
    _require(isinstance(options.get("notify", False), bool), "notify must be either True or False")
    policy = options.get("policy", "standard")
    _require(policy in POLICIES, f"policy must be one of {', '.join(POLICIES)}, not {policy!r}")
    if options.get("dead_letter") is not None:
        check_object_name(options["dead_letter"], "dead_letter")
    return node_names(options)


def check_limit(verb: str, limit: int) -> int:
    """Return how many rows a listing answers at most. Raises `InputError`."""
    _require(1 <= limit <= 100_000, f"{verb}: limit must be between 1 and 100,000, not {limit}")
    return limit


_ZONELESS = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}(?::\d{2}(?::\d{2}(?:[.,]\d+)?)?)?)?")


def _in_utc(text: str) -> str:
    return f"{text}Z" if _ZONELESS.fullmatch(text) else text


def _when(value: float | str | datetime) -> float | str:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise NaiveDatetimeError(
                f"start_after {value.isoformat()} has no time zone: nobody knows which instant it is."
            )
        return value.isoformat()
    if isinstance(value, str):
        return _in_utc(value)
    _require(isfinite(value), f"start_after must be a number of seconds, not {value}")
    return value


def _checked(options: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    given = {key: value for key, value in options.items() if key != "connection"}
    check_known(given, kind)
    check_defaults(given)
    check_whole(given, "priority", None)
    if given.get("group") is not None:
        _check_group(given["group"])
    return given


def _check_group(group: Group) -> None:
    _require(bool(group.get("id")), "group['id'] must be a non-empty string")
    _require(bool(group.get("tier", "tier")), "group['tier'] must be a non-empty string if it is given")


def check_known(options: Mapping[str, Any], kind: Any) -> None:
    """Refuse options that a TypedDict has not. Raises `InputError`."""
    known = set(kind.__annotations__)
    for base in getattr(kind, "__orig_bases__", ()):
        known |= set(getattr(base, "__annotations__", {}))
    unknown = sorted(options.keys() - known)
    _require(
        not unknown, f"unknown options: {', '.join(unknown)}; there are {', '.join(sorted(known - {'connection'}))}"
    )


def check_whole(options: Mapping[str, Any], name: str, least: int | None) -> None:
    """Refuse an option that is there and is no whole number, or too small. Raises `InputError`."""
    if name in options:
        value = options[name]
        fits = isinstance(value, int) and not isinstance(value, bool) and (least is None or value >= least)
        _require(
            fits, f"{name} must be a whole number{'' if least is None else f' of at least {least}'}, not {value!r}"
        )


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise InputError(f"{problem}.")
