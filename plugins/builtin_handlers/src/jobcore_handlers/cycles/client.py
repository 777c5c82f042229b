"""One client's billing cycles, made up to today in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from jobcore.ids import uuid7
from jobcore_handlers.billing.cadence import Anchor, Cadence, missing_periods, next_boundary
from jobcore_handlers.errors import UnknownCadenceError
from jobcore_handlers.statements import Statements

MOST_CYCLES = 200
"""How many a client gets in one run; the next run goes on."""


@dataclass(frozen=True, slots=True)
class MadeCycles:
    """What a run did for one client."""

    created: int
    duplicates: int = 0
    """Cycles that were not made, because the client has one that begins on that day."""
    is_behind: bool = False
    """Whether cycles are missing still."""


async def make_cycles(statements: Statements, tenant: UUID, client_id: UUID, today: date) -> MadeCycles:
    """Make the cycles that a client lacks, at most `MOST_CYCLES`. Waits for another run that is at this client.

    Raises:
        UnknownCadenceError: if the client, or its last cycle, has none that there is.
    """
    client = await statements.first("lock_client", _Client, tenant=tenant, client=client_id)
    if client is None:
        return MadeCycles(0)  # deleted, or inactive meanwhile
    last = await statements.first("get_last_cycle", _LastCycle, tenant=tenant, client=client_id)
    anchor = client.anchor if last is None else replace(client.anchor, rolling_day=last.first_day.day)
    reached = None if last is None else last.end(anchor)
    periods = missing_periods(_cadence(client.billing_cycle), anchor, reached, today, limit=MOST_CYCLES)
    inserted = await statements.all(
        "insert_cycles",
        _Inserted,
        tenant=tenant,
        client=client_id,
        cadence=client.billing_cycle,
        ids=[uuid7() for _ in periods],
        starts=[period.start for period in periods],
        ends=[period.end for period in periods],
    )
    return MadeCycles(
        created=len(inserted),
        duplicates=len(periods) - len(inserted),
        is_behind=bool(periods) and periods[-1].end <= today,
    )


def _cadence(name: str) -> Cadence:
    try:
        return Cadence(name)
    except ValueError:
        raise UnknownCadenceError(name, [cadence.value for cadence in Cadence]) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Client:
    billing_cycle: str
    anchor_day_of_month: int | None
    anchor_month: int | None
    anchor_reference_date: date | None

    @property
    def anchor(self) -> Anchor:
        return Anchor(
            day_of_month=self.anchor_day_of_month, month=self.anchor_month, reference=self.anchor_reference_date
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _LastCycle:
    billing_cycle: str
    effective_date: date
    period_end_date: date | None
    first_day: date

    def end(self, anchor: Anchor) -> date:
        """The end as `generate-invoice` reckons it."""
        if self.period_end_date is not None:
            return self.period_end_date
        return next_boundary(_cadence(self.billing_cycle), self.effective_date, anchor)


@dataclass(frozen=True, slots=True)
class _Inserted:
    billing_cycle_id: UUID
