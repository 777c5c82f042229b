"""Money: exact fractions of a cent while reckoning, whole cents on paper.

A cent stands for a currency's smallest unit, whatever that is called: one yen, or a fils of the Kuwaiti dinar.
Nothing here is a float. An amount is a `Fraction` of cents until the invoice's subtotal and tax are each rounded up to
whole cents; `apportion` then spreads that sum over the lines, so that what is printed adds up.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

_PLACES = 6

# ISO 4217: the currencies whose smallest unit is not a hundredth.
_UNDIVIDED = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF",
     "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF")
)  # fmt: skip
_THOUSANDTHS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))


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


def decimals_of(currency: str) -> int:
    """Return how many decimal places amounts of a currency have: 2, but 0 of `JPY` and 3 of `KWD`."""
    if currency in _UNDIVIDED:
        return 0
    return 3 if currency in _THOUSANDTHS else 2


def format_amount(cents: int, currency: str) -> str:
    """Return an amount for people, without its currency: `1,234.50`, `-3.00`, in yen `1,234`."""
    return f"{Decimal(cents).scaleb(-decimals_of(currency)):,f}"


def format_money(cents: int, currency: str) -> str:
    """Return an amount for people: `USD 1,234.50`, `USD -3.00`, `JPY 1,234`."""
    return f"{currency} {format_amount(cents, currency)}"
