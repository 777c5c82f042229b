"""Money: exact fractions of a cent while reckoning, whole cents on paper.

Nothing here is a float. An amount is a `Fraction` of cents until the invoice's subtotal and tax are each rounded up to
whole cents; `apportion` then spreads that sum over the lines, so that what is printed adds up.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

_PLACES = 6


def round_up(amount: Fraction) -> int:
    """Round towards plus infinity: 100.01 cents are 101 cents, and -100.99 cents are -100."""
    return ceil(amount)


def apportion(exact: Sequence[Fraction]) -> list[int]:
    """Return whole cents, one for each of `exact`, that add up to their sum rounded up.

    Each share is its exact amount rounded down or up (largest remainder; of equal remainders the earlier is rounded
    up), so no line is off by a cent or more.
    """
    shares = [floor(amount) for amount in exact]
    missing = round_up(sum(exact, Fraction())) - sum(shares)
    by_remainder = sorted(range(len(exact)), key=lambda index: shares[index] - exact[index])
    for index in by_remainder[:missing]:
        shares[index] += 1
    return shares


def as_decimal(number: Fraction) -> Decimal:
    """Return `number` to six decimal places, as the `numeric(18, 6)` columns hold it."""
    return Decimal(round(number * 10**_PLACES)).scaleb(-_PLACES)


def format_number(number: Fraction) -> str:
    """Return a quantity or a percentage for people, to six places and without trailing zeros: `19`, `8.875`."""
    text = f"{as_decimal(number):,f}"
    return text.rstrip("0").rstrip(".")


def format_money(cents: int, currency: str) -> str:
    """Return an amount for people: `USD 1,234.50`, `USD -3.00`."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{currency} {sign}{whole:,}.{rest:02d}"
