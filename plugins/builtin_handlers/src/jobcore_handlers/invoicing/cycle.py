"""The billing cycle of an invoice: loaded, locked, and turned into a period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from jobcore_handlers.billing.cadence import Anchor, Cadence, next_boundary
from jobcore_handlers.billing.periods import Period
from jobcore_handlers.errors import BillingCycleNotFoundError, InvalidBillingCycleError
from jobcore_handlers.statements import Statements


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """A row of `billing.client_billing_cycles`, with the client's anchors."""

    billing_cycle_id: UUID
    billing_cycle: str
    effective_date: date
    period_start_date: date | None
    period_end_date: date | None
    anchor_day_of_month: int | None
    anchor_month: int | None
    anchor_reference_date: date | None

    @property
    def anchor(self) -> Anchor:
        return Anchor(
            day_of_month=self.anchor_day_of_month, month=self.anchor_month, reference=self.anchor_reference_date
        )


async def lock_cycle(statements: Statements, tenant: UUID, client: UUID, cycle: UUID) -> Cycle:
    """Load a cycle and lock it until the transaction ends. Waits for another job that bills it.

    Raises:
        BillingCycleNotFoundError: if the client has no such cycle.
    """
    found = await statements.first("lock_cycle", Cycle, tenant=tenant, client=client, cycle=cycle)
    if found is None:
        raise BillingCycleNotFoundError.because(
            f"Client {client} of tenant {tenant} has no billing cycle {cycle}; it may have been deleted."
        )
    return found


def period_of(cycle: Cycle) -> Period:
    """Return the cycle's own period, or the one from its effective date to the next boundary of its cadence.

    Raises:
        InvalidBillingCycleError: if it has one date of the two, or ends before it begins.
    """
    start, end = cycle.period_start_date, cycle.period_end_date
    if start is None and end is None:
        start = cycle.effective_date
        end = next_boundary(Cadence(cycle.billing_cycle), start, cycle.anchor)
    if start is None or end is None or start >= end:
        raise InvalidBillingCycleError.because(
            f"Billing cycle {cycle.billing_cycle_id} runs from {start} to {end} (exclusive). Correct its dates, "
            "or clear both, so that the period is reckoned from the effective date; then retry the job."
        )
    return Period(start, end)
