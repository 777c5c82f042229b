"""Which credits are to be announced today: those that expire within the day that is a threshold away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from uuid import UUID

from jobcore_handlers.credit_notices.days import day_after, day_bounds, zone_named
from jobcore_handlers.credit_notices.errors import DistantThresholdError
from jobcore_handlers.statements import Connection, Statements

MOST_DAYS = 36_500
"""How far ahead a notice may be, so that the day it is about is one that a calendar has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the tenant has settled about notices."""

    time_zone: str
    seller_name: str
    now: datetime
    is_enabled: bool
    thresholds: list[int]

    def day_of(self, threshold: int) -> date:
        """Return the day that is `threshold` days away, in the tenant's zone. Raises `UnknownTimeZoneError`."""
        return day_after(self.now, threshold, zone_named(self.time_zone))


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCredit:
    """A credit that nobody has announced at this threshold."""

    client_id: UUID
    threshold: int
    credit_id: UUID
    remaining_amount: int


@dataclass(frozen=True, slots=True)
class DueClient:
    """A client's credits that are to be announced."""

    client_id: UUID
    credits: tuple[DueCredit, ...]

    def by_threshold(self) -> dict[int, list[DueCredit]]:
        return {days: list(found) for days, found in groupby(self.credits, key=lambda credit: credit.threshold)}


async def find_terms(connection: Connection, tenant: UUID) -> Terms | None:
    """Return the tenant's terms, with the database's clock; `None` if nobody is to be told of anything."""
    terms = await Statements("credit_notices", connection).first("get_terms", Terms, tenant=tenant)
    return terms if terms is not None and terms.is_enabled and terms.thresholds else None


async def find_due(connection: Connection, tenant: UUID, terms: Terms, client: UUID | None) -> Sequence[DueClient]:
    """Return the clients that have credits to be announced. Raises `UnknownTimeZoneError`, `DistantThresholdError`."""
    zone, thresholds = zone_named(terms.time_zone), sorted(set(terms.thresholds))
    if thresholds[-1] > MOST_DAYS:
        raise DistantThresholdError(thresholds[-1], MOST_DAYS)
    bounds = [day_bounds(terms.day_of(threshold), zone) for threshold in thresholds]
    rows = await Statements("credit_notices", connection).all(
        "list_due",
        DueCredit,
        tenant=tenant,
        client=client,
        thresholds=thresholds,
        begins=[begin for begin, _ in bounds],
        ends=[end for _, end in bounds],
    )
    return [DueClient(owner, tuple(found)) for owner, found in groupby(rows, key=lambda credit: credit.client_id)]
