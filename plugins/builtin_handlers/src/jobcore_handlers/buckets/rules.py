"""How much of a bucket is used: pure functions, exact decimals of a minute."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Consumption:
    """What a bucket's usage record says, in minutes."""

    used: Decimal
    overage: Decimal


def consumption(*, time: Decimal, usage: Decimal, total: Decimal, rolled_over: Decimal) -> Consumption:
    """Return what is used of a bucket, and what goes beyond it.

    Args:
        time: billable minutes worked in the period.
        usage: what was used of the service in the period; a unit is a minute.
        total: minutes that the bucket holds.
        rolled_over: minutes left over from the period before.
    """
    used = time + usage
    return Consumption(used, max(Decimal(), used - total - rolled_over))
