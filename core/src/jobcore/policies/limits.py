"""How many jobs of a handler may run at once, how often, and whose turn it is: `@job(..., limits=[...])`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from math import isfinite
from typing import Any, cast
from uuid import UUID

from jobcore.errors import InputError, InvalidHandlerError
from jobcore.ids import parse_tenant
from jobcore.models import Gate

MOST_GATES = 8
LONGEST_NAME = 300
Key = str | Callable[[Any], Any]
"""What tells the jobs of a tenant apart: a field of the payload, by its name in JSON (`account` or `account.id`), or a
function of the payload as its JSON document."""


class InvalidLimitError(InvalidHandlerError, InputError):
    """A limit holds a value that cannot be meant."""


class Per(StrEnum):
    """Whose jobs a limit counts together."""

    HANDLER = "handler"
    """All jobs of the handler, of whichever tenant."""
    TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class Subject:
    """The job that is about to be enqueued, as limits see it."""

    handler: str
    queue: str
    tenant: UUID
    document: Mapping[str, Any]
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class Concurrency:
    """At most `limit` jobs at once.

    A job counts from its admission to its engine until it ends, or is put off by a retry or a snooze; the others wait,
    in the order of their priority and age.

    Args:
        limit: jobs at once.
        per: `handler` counts all of them together, `tenant` those of each tenant.
        key: counts those of each value apart, within their tenant.
        tiers: other limits for jobs that are enqueued with `tier=`.
        scope: a name that handlers share to be counted together; by default the handler's own.

    Raises:
        InvalidLimitError: if a value cannot be meant.
    """

    limit: int
    per: Per | str = Per.HANDLER
    key: Key | None = None
    tiers: Mapping[str, int] = field(default_factory=dict[str, int])
    scope: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "per", _per(self.per))
        for count in (self.limit, *self.tiers.values()):
            if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 10_000:  # pyright: ignore[reportUnnecessaryIsInstance]
                raise InvalidLimitError(f"Concurrency: a limit must be a whole number from 1 to 10,000, not {count!r}.")

    def gate(self, subject: Subject) -> Gate:
        """Return what a job has to pass. Raises `InputError` if its payload has no such key, or for an unknown tier."""
        return Gate(name=_name("at-once", self, subject), limit=self._limit(subject))

    def _limit(self, subject: Subject) -> int:
        if subject.tier is None or not self.tiers:
            return self.limit
        if subject.tier not in self.tiers:
            raise InputError(
                f"Job {subject.handler!r} has no tier {subject.tier!r}; it has {', '.join(map(repr, self.tiers))}."
            )
        return self.tiers[subject.tier]


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `jobs` begin in each span of `every`, on average; a token bucket, kept in the store.

    Args:
        jobs: how many.
        every: in which time.
        burst: how many may begin at once after a lull; by default `jobs`.
        per, key, scope: whose jobs are counted together, as with `Concurrency`.

    Raises:
        InvalidLimitError: if a value cannot be meant.
    """

    jobs: float
    every: timedelta = timedelta(seconds=1)
    burst: int | None = None
    per: Per | str = Per.HANDLER
    key: Key | None = None
    scope: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "per", _per(self.per))
        if not isfinite(self.jobs) or not 0 < self.jobs <= 1_000_000:
            raise InvalidLimitError(f"RateLimit: jobs must be a number above zero, not {self.jobs!r}.")
        if not timedelta(milliseconds=1) <= self.every <= timedelta(days=366):
            raise InvalidLimitError(f"RateLimit: every must be from a millisecond to a year, not {self.every!r}.")
        if self.burst is not None and self.burst < 1:
            raise InvalidLimitError(f"RateLimit: burst must be at least 1, not {self.burst!r}.")

    def gate(self, subject: Subject) -> Gate:
        """Return what a job has to pass. Raises `InputError` if its payload has no such key."""
        rate = self.jobs / self.every.total_seconds()
        return Gate(name=_name("rate", self, subject), rate=rate, burst=float(self.burst or max(self.jobs, 1)))


@dataclass(frozen=True, slots=True)
class FairShare:
    """The tenants whose jobs wait share the workers by their weights, so that none waits behind another's crowd.

    Only about as many jobs as the workers run at once are in the engine; the others wait, and whose tenant has the
    fewest there, in proportion to its weight, comes next. Within a tenant, priority and age decide.

    Args:
        weights: of tenants that get more or less than others, by their ids.
        default: the weight of all other tenants.
        scope: a name that handlers share to be counted together; by default the queue's.

    Raises:
        InvalidLimitError: if a weight cannot be meant.
    """

    weights: Mapping[str | UUID, float] = field(default_factory=dict[str | UUID, float])
    default: float = 1.0
    scope: str | None = None

    def __post_init__(self) -> None:
        for weight in (self.default, *self.weights.values()):
            if not isfinite(weight) or not 0 < weight <= 1_000:
                raise InvalidLimitError(f"FairShare: a weight must be a number above 0 up to 1,000, not {weight!r}.")
        object.__setattr__(self, "weights", {parse_tenant(tenant): weight for tenant, weight in self.weights.items()})

    def gate(self, subject: Subject) -> Gate:
        """Return what a job has to pass."""
        name = f"fair/{self.scope or subject.queue}"
        return Gate(name=name, weight=self.weights.get(subject.tenant, self.default))


Limit = Concurrency | RateLimit | FairShare
_KINDS: Mapping[str, type[Limit]] = {"concurrency": Concurrency, "rate": RateLimit, "fair": FairShare}


def announce_limit(limit: Limit) -> dict[str, Any]:
    """Return a limit as a worker announces it to processes that do not have the handler; `read_limit` reads it.

    A key that is a function cannot be told, which `key_is_told` says then.
    """
    [kind] = [kind for kind, made in _KINDS.items() if isinstance(limit, made)]
    values = {field.name: getattr(limit, field.name) for field in fields(limit)}
    told = {name: _as_json(value) for name, value in values.items() if not callable(value)}
    return {"kind": kind, "key_is_told": not callable(values.get("key")), **told}


def read_limit(handler: str, document: Mapping[str, Any]) -> Limit:
    """Return a limit that a worker announced.

    Raises:
        InputError: if its key is a function, which only a process with the handler can ask.
    """
    values = {name: value for name, value in document.items() if name not in ("kind", "key_is_told")}
    if not document["key_is_told"]:
        raise InputError(untold_key(handler))
    if "every" in values:
        values["every"] = timedelta(seconds=values["every"])
    return _KINDS[document["kind"]](**values)


def untold_key(handler: str) -> str:
    """Return what to say where a key is needed that only the handler's own code can find."""
    return (
        f"The jobs {handler!r} are told apart by a function of their payload, which this process does not have: "
        "enqueue it where the handler is known, or let its key be the name of a field."
    )


def _as_json(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {str(name): item for name, item in cast("Mapping[Any, Any]", value).items()}
    return value


def check_limits(name: str, limits: Sequence[Any]) -> tuple[Limit, ...]:
    """Return a handler's limits. Raises `InvalidLimitError` for what is none, and for too many."""
    for limit in limits:
        if not isinstance(limit, Limit):
            raise InvalidLimitError(
                f"Job {name!r}: a limit is a Concurrency, a RateLimit or a FairShare, not {limit!r}."
            )
    if len(limits) > MOST_GATES:
        raise InvalidLimitError(f"Job {name!r} has {len(limits)} limits; at most {MOST_GATES} are accepted.")
    return tuple(limits)


def bounded_name(name: str) -> str:
    """Return a name that an index holds: a long one ends with its digest."""
    return name if len(name) <= LONGEST_NAME else f"{name[:200]}/{sha256(name.encode()).hexdigest()}"


def _name(kind: str, limit: Concurrency | RateLimit, subject: Subject) -> str:
    parts = [kind, limit.scope or subject.handler]
    if limit.per is Per.TENANT or limit.key is not None:
        parts.append(str(subject.tenant))
    if limit.key is not None:
        parts.append(key_of(limit.key, subject.handler, subject.document))
    return bounded_name("/".join(parts))


def key_of(key: Key, handler: str, document: Mapping[str, Any]) -> str:
    """Return what a key says of a payload, as text. Raises `InputError` if the payload does not have it."""
    value: Any = document
    if callable(key):
        value = key(document)
    else:
        for part in key.split("."):
            value = cast("Mapping[str, Any]", value).get(part) if isinstance(value, Mapping) else None
    if not isinstance(value, str | int | float):
        raise InputError(f"Job {handler!r}: its payload says nothing at {key!r}, by which its jobs are told apart.")
    return str(value)


def _per(value: Any) -> Per:
    try:
        return Per(value)
    except ValueError:
        raise InvalidLimitError(f"A limit is per 'handler' or per 'tenant', not {value!r}.") from None
