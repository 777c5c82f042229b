"""What a handler does with jobs that mean the same: `@job(..., dedupe=Dedupe("account", on_conflict="supersede"))`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from jobcore.errors import InputError, InvalidHandlerError
from jobcore.limits import check_key
from jobcore.models import OnConflict
from jobcore.policies.limits import Key, key_of, untold_key

LONGEST_WINDOW = timedelta(days=366)
_NEED_A_WINDOW = (OnConflict.DEBOUNCE, OnConflict.THROTTLE)


class InvalidDedupeError(InvalidHandlerError, InputError):
    """A rule for equal jobs cannot be meant."""


@dataclass(frozen=True, slots=True)
class Dedupe:
    """Jobs of one tenant with the same key stand for one another.

    Args:
        key: what tells them apart: a field of the payload, by its name in JSON, or a function of the JSON document.
        on_conflict: what a new one does where the key is held: `skip`, `replace`, `supersede`, `debounce`, `throttle`
            or `queue`; see `OnConflict`.
        window: for `debounce` and `throttle`, and needed there.

    Raises:
        InvalidDedupeError: if a value cannot be meant.
    """

    key: Key
    on_conflict: OnConflict | str = OnConflict.SKIP
    window: timedelta | None = None

    def __post_init__(self) -> None:
        try:
            rule = check_rule(self.on_conflict, self.window)
        except InputError as error:
            raise InvalidDedupeError(f"Dedupe: {error}") from None
        object.__setattr__(self, "on_conflict", rule)

    def key_in(self, handler: str, document: Mapping[str, Any]) -> str:
        """Return the key of a payload. Raises `InputError` if it has none."""
        return check_key("dedupe_key", key_of(self.key, handler, document))


def announce_dedupe(dedupe: Dedupe) -> dict[str, Any]:
    """Return a rule as a worker announces it to processes that do not have the handler; `read_dedupe` reads it."""
    return {
        "key": None if callable(dedupe.key) else dedupe.key,
        "on_conflict": str(dedupe.on_conflict),
        "window": None if dedupe.window is None else dedupe.window.total_seconds(),
    }


def read_dedupe(handler: str, document: Mapping[str, Any]) -> Dedupe:
    """Return a rule that a worker announced. Raises `InputError` if its key is a function."""
    if document["key"] is None:
        raise InputError(untold_key(handler))
    window = document["window"]
    return Dedupe(document["key"], document["on_conflict"], None if window is None else timedelta(seconds=window))


def check_rule(on_conflict: Any, window: Any) -> OnConflict:
    """Return the rule. Raises `InputError` if it is none, or the window does not fit it."""
    try:
        rule = OnConflict(on_conflict)
    except ValueError:
        accepted = ", ".join(repr(rule.value) for rule in OnConflict)
        raise InputError(f"on_conflict is one of {accepted}, not {on_conflict!r}.") from None
    if rule in _NEED_A_WINDOW:
        if not isinstance(window, timedelta) or not timedelta() < window <= LONGEST_WINDOW:
            raise InputError(f"on_conflict={rule.value!r} needs a window, a timedelta up to a year, not {window!r}.")
    elif window is not None:
        raise InputError(f"on_conflict={rule.value!r} has no window; debounce and throttle have.")
    return rule
