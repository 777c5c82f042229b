"""What the sample data set must come to, worked out from the input files alone.

    python examples/billing/expected.py

This shares no code with the handlers, on purpose: the demo and the tests compare what was billed with what stands here.
The rules, in short: approved billable time and all usage of the period, by the hour and the unit; a fixed fee for each
first of a month within the period; percentages off first, then amounts; the subtotal and the tax each rounded up.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

DATA = Path(__file__).parent / "data"

Row = dict[str, str]


@dataclass(frozen=True)
class Expected:
    """What one cycle must be billed; amounts in cents."""

    tenant: str
    client: str
    cycle: str
    currency: str
    subtotal: int
    tax: int

    @property
    def total(self) -> int:
        return self.subtotal + self.tax


def expected_invoices(folder: Path = DATA) -> dict[str, Expected | None]:
    """Return, by billing cycle id, what its invoice comes to, or `None` where there must be no invoice."""
    book = Book(folder)
    return {cycle["billing_cycle_id"]: book.bill(cycle) for cycle in book.rows["client_billing_cycles"]}


def total_by_currency(invoices: dict[str, Expected | None]) -> dict[str, int]:
    """Return the cents billed in each currency."""
    totals: defaultdict[str, int] = defaultdict(int)
    for invoice in invoices.values():
        if invoice is not None:
            totals[invoice.currency] += invoice.total
    return dict(totals)


class Book:
    """The input files, and the arithmetic on them."""

    def __init__(self, folder: Path) -> None:
        self.rows = {path.stem: list(csv.DictReader(path.open(encoding="utf-8"))) for path in folder.glob("*.csv")}
        self.clients = {row["client_id"]: row for row in self.rows["clients"]}
        self.services = {row["service_id"]: row for row in self.rows["services"]}
        self.settings = {row["client_id"]: row for row in self.rows["client_billing_settings"]}
        self.defaults = {row["tenant"]: row for row in self.rows["default_billing_settings"]}

    def bill(self, cycle: Row) -> Expected | None:
        client = self.clients[cycle["client_id"]]
        start, end = self.span(cycle)
        costs = self.costs(client["client_id"], start, end)
        if not costs and self.zero_handling(client) == "suppress":
            return None
        gross = [(service, sum(amounts, Fraction())) for service, amounts in costs]
        net = self.after_discounts(client["client_id"], gross, end - timedelta(days=1))
        tax = self.tax(client, gross, net, end - timedelta(days=1))
        return Expected(client["tenant"], client["client_id"], cycle["billing_cycle_id"], client["currency"],
                        up(sum(net, Fraction())), up(tax))  # fmt: skip

    def span(self, cycle: Row) -> tuple[date, date]:
        if cycle["period_start_date"]:
            return date.fromisoformat(cycle["period_start_date"]), date.fromisoformat(cycle["period_end_date"])
        start = date.fromisoformat(cycle["effective_date"])
        months = {"monthly": 1, "quarterly": 3}[cycle["billing_cycle"]]
        count = start.year * 12 + start.month - 1 + months
        return start, date(count // 12, count % 12 + 1, start.day)

    def costs(self, client: str, start: date, end: date) -> list[tuple[str, list[Fraction]]]:
        """List each line that costs something: its service, and the amounts on it."""
        amounts: defaultdict[tuple[int, str], list[Fraction]] = defaultdict(list)
        lines = self.lines(client)
        for number, (contract, line) in enumerate(lines):
            if line["kind"] == "fixed":
                dues = [due for due in firsts(start, end) if in_force(contract, due)]
                amounts[number, line["service_id"]] += [Fraction(line["quantity"]) * self.rate(line) for _ in dues]
        for kind, service, day, quantity in self.deliveries(client, start, end):
            for number, (contract, line) in enumerate(lines):
                if line["kind"] == kind and line["service_id"] == service and in_force(contract, day):
                    amounts[number, service].append(quantity * self.rate(line))
                    break
        return [(service, parts) for (_, service), parts in sorted(amounts.items()) if parts]

    def lines(self, client: str) -> list[tuple[Row, Row]]:
        contracts = [row for row in self.rows["contracts"] if row["client_id"] == client]
        contracts.sort(key=lambda row: (row["start_date"], row["contract_id"]))
        return [
            (contract, line)
            for contract in contracts
            for line in sorted(self.rows["contract_lines"], key=lambda row: int(row["position"]))
            if line["contract_id"] == contract["contract_id"]
        ]

    def rate(self, line: Row) -> Fraction:
        return Fraction(line["rate"] or self.services[line["service_id"]]["default_rate"])

    def deliveries(self, client: str, start: date, end: date) -> list[tuple[str, str, date, Fraction]]:
        time = [
            ("hourly", row["service_id"], date.fromisoformat(row["work_date"]), Fraction(row["billable_minutes"]) / 60)
            for row in self.rows["time_entries"]
            if row["client_id"] == client and row["is_billable"] == "True" and row["approval_status"] == "approved"
        ]
        usage = [
            ("usage", row["service_id"], date.fromisoformat(row["usage_date"]), Fraction(row["quantity"]))
            for row in self.rows["usage_tracking"]
            if row["client_id"] == client
        ]
        return [item for item in (*time, *usage) if start <= item[2] < end]

    def after_discounts(self, client: str, gross: list[tuple[str, Fraction]], day: date) -> list[Fraction]:
        net = [amount for _, amount in gross]
        mine = [row for row in self.rows["discounts"] if row["client_id"] == client and valid(row, day)]
        for row in (row for row in mine if row["percent"]):
            for number, (service, amount) in enumerate(gross):
                if row["service_id"] in ("", service):
                    net[number] = max(Fraction(), net[number] - amount * Fraction(row["percent"]) / 100)
        for row in (row for row in mine if row["amount"]):
            covered = [number for number, (service, _) in enumerate(gross) if row["service_id"] in ("", service)]
            left = sum(net[number] for number in covered)
            for number in covered if left else []:
                net[number] -= net[number] / left * min(Fraction(row["amount"]), Fraction(left))
        return net

    def tax(self, client: Row, gross: list[tuple[str, Fraction]], net: list[Fraction], day: date) -> Fraction:
        if client["is_tax_exempt"] == "True" or not client["tax_region"]:
            return Fraction()
        rates = {
            row["tax_class"]: Fraction(row["percent"])
            for row in self.rows["tax_rates"]
            if row["tenant"] == client["tenant"] and row["region"] == client["tax_region"] and valid(row, day)
        }
        classes = [self.services[service]["tax_class"] for service, _ in gross]
        return sum((amount * rates[kind] / 100 for kind, amount in zip(classes, net, strict=True) if kind), Fraction())

    def zero_handling(self, client: Row) -> str:
        own = self.settings.get(client["client_id"], {}).get("zero_dollar_invoice_handling")
        return own or self.defaults[client["tenant"]]["zero_dollar_invoice_handling"]


def firsts(start: date, end: date) -> list[date]:
    days = (start + timedelta(days=number) for number in range((end - start).days))
    return [day for day in days if day.day == 1]


def in_force(contract: Row, day: date) -> bool:
    return contract["start_date"] <= day.isoformat() < (contract["end_date"] or "9999")


def valid(row: Row, day: date) -> bool:
    return row["valid_from"] <= day.isoformat() < (row["valid_to"] or "9999")


def up(amount: Fraction) -> int:
    return -(-amount.numerator // amount.denominator)


if __name__ == "__main__":
    bills = expected_invoices()
    invoiced = [bill for bill in bills.values() if bill is not None]
    summary = {"cycles": len(bills), "invoices": len(invoiced), "cents": total_by_currency(bills)}
    sys.stdout.write(json.dumps(summary, indent=2) + "\n")
