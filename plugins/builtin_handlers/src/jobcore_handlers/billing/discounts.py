"""What discounts take off, and from which charges.

Percentages come first, each of the undiscounted charges that it covers; then fixed amounts, spread over what is left
of their charges in proportion. No charge goes below zero. A fixed discount without any charge on the invoice keeps its
value: the caller refuses such an invoice rather than give money away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from jobcore_handlers.billing.charges import Charge
from jobcore_handlers.billing.records import Discount

_HUNDRED = 100


@dataclass(frozen=True, slots=True)
class AppliedDiscount:
    """A discount and what it takes off, in all (zero or more cents, exact)."""

    discount: Discount
    amount: Fraction


@dataclass(frozen=True, slots=True)
class Discounted:
    """The charges after all discounts; `net` has one amount for each charge, in their order."""

    net: tuple[Fraction, ...]
    applied: tuple[AppliedDiscount, ...]


def apply_discounts(charges: Sequence[Charge], discounts: Sequence[Discount]) -> Discounted:
    """Take `discounts` off `charges`; those that take nothing off are left out of the result."""
    net = [charge.amount for charge in charges]
    applied: list[AppliedDiscount] = []
    for discount in sorted(discounts, key=lambda discount: discount.percent is None):
        covered = [index for index, charge in enumerate(charges) if _covers(discount, charge)]
        taken = _taken(discount, charges, net, covered)
        for index, amount in taken.items():
            net[index] -= amount
        total = _alone(discount) if not charges else sum(taken.values(), Fraction())
        if total:
            applied.append(AppliedDiscount(discount, total))
    return Discounted(tuple(net), tuple(applied))


def _covers(discount: Discount, charge: Charge) -> bool:
    return discount.service_id is None or discount.service_id == charge.line.service_id


def _taken(
    discount: Discount, charges: Sequence[Charge], net: Sequence[Fraction], covered: Sequence[int]
) -> dict[int, Fraction]:
    if discount.percent is not None:
        share = discount.percent / _HUNDRED
        return {index: min(charges[index].amount * share, net[index]) for index in covered}
    left = sum((net[index] for index in covered), Fraction())
    if not left:
        return {}
    share = min(Fraction(discount.amount or 0) / left, Fraction(1))
    return {index: net[index] * share for index in covered}


def _alone(discount: Discount) -> Fraction:
    return Fraction(discount.amount or 0)
