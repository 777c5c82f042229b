"""The tax on each charge, after discounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from jobcore_handlers.billing.charges import Charge
from jobcore_handlers.billing.records import TaxRate
from jobcore_handlers.errors import TaxRateMissingError


@dataclass(frozen=True, slots=True)
class Tax:
    """The tax on one charge, exact; `rate` is `None` where none is due."""

    rate: TaxRate | None
    amount: Fraction


NO_TAX = Tax(None, Fraction())


def compute_taxes(
    charges: Sequence[Charge], net: Sequence[Fraction], rates: Sequence[TaxRate], region: str | None, on: date
) -> list[Tax]:
    """Return one tax for each charge, of its `net` amount. A client without a `region` pays none.

    Raises:
        TaxRateMissingError: if a taxable charge has no rate for its class among `rates`, those valid `on` that day.
    """
    by_class = {rate.tax_class: rate for rate in rates if rate.region == region}
    return [
        NO_TAX if region is None else _tax(charge, amount, by_class, region, on)
        for charge, amount in zip(charges, net, strict=True)
    ]


def _tax(charge: Charge, net: Fraction, by_class: dict[str, TaxRate], region: str, on: date) -> Tax:
    tax_class = charge.line.tax_class
    if tax_class is None:
        return NO_TAX
    rate = by_class.get(tax_class)
    if rate is None:
        raise TaxRateMissingError(charge.line.service_name, region, tax_class, on.isoformat())
    return Tax(rate, net * rate.percent / 100)
