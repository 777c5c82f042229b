"""Figures and days as they are printed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from jobcore_handlers.billing.money import decimals_of


def format_day(day: date) -> str:
    """Return a day that nobody reads the wrong way round: `05 Jan 2026`, in English whatever the locale."""
    return f"{day.day:02d} {_MONTHS[day.month - 1]} {day.year}"


def format_quantity(quantity: Decimal) -> str:
    """Return a quantity to four decimal places, without trailing zeros."""
    return _trimmed(quantity.quantize(Decimal("0.0001")))


def format_percent(percent: Decimal) -> str:
    return f"{_trimmed(percent)}%"


def format_rate(cents: Decimal, currency: str) -> str:
    """Return a rate in whole currency units, with the currency's decimal places to six: `120.00`, `0.0125`."""
    places = decimals_of(currency)
    whole, _, decimals = f"{cents.scaleb(-places).quantize(_MILLIONTH):,f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(places, '0')}".rstrip(".")


def _trimmed(number: Decimal) -> str:
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


_MILLIONTH = Decimal("0.000001")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
