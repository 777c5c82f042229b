"""What a period's contract lines and deliveries cost, before discounts and tax."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from jobcore_handlers.billing.periods import Period
from jobcore_handlers.billing.records import ContractLine, Delivery, LineKind
from jobcore_handlers.errors import RateMissingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One line of an invoice, exact to the fraction of a cent."""

    line: ContractLine
    quantity: Fraction
    rate: Fraction
    deliveries: tuple[UUID, ...]
    """The time entries or usage records that this charge bills."""

    @property
    def amount(self) -> Fraction:
        return self.quantity * self.rate

    @property
    def description(self) -> str:
        return f"{self.line.contract_name}: {self.line.service_name}"


def compute_charges(period: Period, lines: Sequence[ContractLine], deliveries: Sequence[Delivery]) -> list[Charge]:
    """Return the charges of a period, in the order of `lines`; a line with nothing to charge has none.

    Each delivery is billed by the first line of its kind and service whose contract covers its day, so that two
    contracts for one service never bill an hour twice. One that no line covers is not billed. A fixed fee falls due on
    the first day of each month within period and contract: it is never split, and however long the cycles are, each
    month is paid once.

    Raises:
        RateMissingError: if a line charges something and neither it nor its service has a rate.
    """
    charges: list[Charge] = []
    for line, billed in _assign(lines, deliveries):
        quantity = _fees_due(line, period) if line.kind is LineKind.FIXED else _total(billed)
        if quantity:
            charges.append(_charge(line, quantity, billed))
    return charges


def _charge(line: ContractLine, quantity: Fraction, billed: Sequence[Delivery]) -> Charge:
    if line.rate is None:
        raise RateMissingError(line.service_name)
    deliveries = tuple(delivery.record_id for delivery in billed)
    return Charge(line=line, quantity=quantity, rate=line.rate, deliveries=deliveries)


def _assign(
    lines: Sequence[ContractLine], deliveries: Iterable[Delivery]
) -> Iterable[tuple[ContractLine, list[Delivery]]]:
    assigned: dict[UUID, list[Delivery]] = {line.line_id: [] for line in lines}
    for delivery in deliveries:
        line = _line_for(delivery, lines)
        if line is not None:
            assigned[line.line_id].append(delivery)
    return [(line, assigned[line.line_id]) for line in lines]


def _line_for(delivery: Delivery, lines: Sequence[ContractLine]) -> ContractLine | None:
    for line in lines:
        if line.kind is delivery.kind and line.service_id == delivery.service_id and line.covers(delivery.day):
            return line
    return None


def _fees_due(line: ContractLine, period: Period) -> Fraction:
    return line.quantity * sum(line.covers(day) for day in period.month_starts())


def _total(deliveries: Iterable[Delivery]) -> Fraction:
    return sum((delivery.quantity for delivery in deliveries), Fraction())
