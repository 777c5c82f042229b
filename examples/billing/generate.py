"""Write the sample data set: the same files on every run.

    python examples/billing/generate.py

Three tenants bill 66 clients weekly, monthly or quarterly. All names are made up.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from world import CLIENT_NAMES, SERVICES, TENANTS, Market

DATA = Path(__file__).parent / "data"
SEED = 20251130
FIRST_DAY = date(2025, 10, 1)
CADENCES = ("monthly", "quarterly", "weekly", "monthly", "weekly", "monthly")


@dataclass
class Client:
    """A client while the files are made."""

    number: int
    market: Market
    name: str
    cadence: str
    rolls_on: int | None
    """The day of the month on which its cycles begin, if their dates follow from an anchor."""
    spans: list[tuple[date, date]] = field(default_factory=list[tuple[date, date]])

    @property
    def id(self) -> UUID:
        return new_id("client", self.number)

    @property
    def is_idle(self) -> bool:
        """Whether it has a contract but nothing to pay for."""
        return self.number % 22 == 21


class Files:
    """The rows of each file, in the order in which they were added."""

    def __init__(self) -> None:
        self._rows: dict[str, list[dict[str, Any]]] = {}

    def add(self, file: str, **row: Any) -> None:
        self._rows.setdefault(file, []).append(row)

    def write(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        for file, rows in self._rows.items():
            with (folder / f"{file}.csv").open("w", newline="", encoding="utf-8") as target:
                writer = csv.DictWriter(target, fieldnames=list(rows[0]), lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)


def main() -> None:
    files = Files()
    random = Random(SEED)  # noqa: S311 - sample data, not a secret
    clients = list(make_clients())
    for number, market in enumerate(TENANTS):
        add_tenant(files, number, market)
    for client in clients:
        add_client(files, client, random)
        add_contracts(files, client, random)
        add_discounts(files, client)
        add_cycles(files, client)
        add_work(files, client, random)
    files.write(DATA)


def new_id(kind: str, *parts: object) -> UUID:
    return uuid5(NAMESPACE_URL, "/".join(["jobcore-sample", kind, *map(str, parts)]))


def make_clients() -> Iterator[Client]:
    for number, name in enumerate(CLIENT_NAMES):
        market = TENANTS[0 if number < 28 else 1 if number < 48 else 2]
        cadence = CADENCES[number % len(CADENCES)]
        rolls_on = 15 if cadence == "monthly" and number % 4 == 0 else None
        client = Client(number, market, name, cadence, rolls_on)
        client.spans = list(spans_of(client))
        yield client


def spans_of(client: Client) -> Iterable[tuple[date, date]]:
    if client.cadence == "quarterly":
        return [(date(2025, 10, 1), date(2026, 1, 1))]
    if client.cadence == "weekly":
        first = date(2025, 11, 24)
        return [(first + timedelta(weeks=week), first + timedelta(weeks=week + 1)) for week in range(3)]
    day = client.rolls_on or 1
    return [(date(2025, 10, day), date(2025, 11, day)), (date(2025, 11, day), date(2025, 12, day))]


def add_tenant(files: Files, number: int, market: Market) -> None:
    tenant = market.tenant
    files.add("tenants", tenant=tenant, name=market.name, street=market.street, city=market.city,
              country=market.country, tax_number=market.tax_number, email=market.email)  # fmt: skip
    files.add("users", tenant=tenant, user_id=market.user, name=market.user_name, email=market.email)
    files.add("numbering", tenant=tenant, entity_type="INVOICE", prefix=market.prefix, padding=5,
              last_number=100 * number)  # fmt: skip
    files.add("default_billing_settings", tenant=tenant, zero_dollar_invoice_handling=market.zero_invoices,
              payment_terms=market.payment_terms, credit_expiration_notification_days="{30,7,1}")  # fmt: skip
    for key, name, unit, rate, tax_class in SERVICES:
        files.add("services", tenant=tenant, service_id=new_id("service", tenant, key), name=name, unit=unit,
                  default_rate=rate, tax_class=tax_class)  # fmt: skip
    for region, tax_class, percent, start, end in market.taxes:
        files.add("tax_rates", tenant=tenant, tax_rate_id=new_id("tax", tenant, region, tax_class, start),
                  region=region, tax_class=tax_class, percent=percent, valid_from=start, valid_to=end)  # fmt: skip


def add_client(files: Files, client: Client, random: Random) -> None:
    market, number = client.market, client.number
    mailbox = "".join(letter for letter in client.name.lower() if letter.isascii() and letter.isalnum())
    contact = new_id("contact", number)
    files.add("clients", tenant=market.tenant, client_id=client.id, name=client.name,
              street=f"{random.randint(1, 199)} {random.choice(market.streets)}", city=random.choice(market.cities),
              country=market.country, currency=market.currency, billing_cycle=client.cadence,
              billing_email=f"accounts@{mailbox}.example", billing_contact_id=contact,
              tax_region=None if number % 17 == 16 else random.choice(market.regions),
              is_tax_exempt=number % 13 == 12)  # fmt: skip
    files.add("client_contacts", tenant=market.tenant, contact_id=contact, client_id=client.id,
              name=random.choice(market.people), email=f"billing@{mailbox}.example",
              is_billing_contact=True)  # fmt: skip
    handling = ("normal", "suppress", "finalized")[number // 22] if client.is_idle else None
    if handling or client.rolls_on or number % 9 == 0:
        files.add("client_billing_settings", tenant=market.tenant, client_id=client.id,
                  zero_dollar_invoice_handling=handling, payment_terms="net_15" if number % 9 == 0 else None,
                  anchor_day_of_month=client.rolls_on)  # fmt: skip


def add_contracts(files: Files, client: Client, random: Random) -> None:
    add_contract(files, client, "Managed services", date(2025, 1, 1), None)
    if client.is_idle:
        return
    lines = [
        "desk",
        *random.sample(["server", "backup"], random.randint(1, 2)),
        "consulting",
        "onsite",
        "storage",
        "sms",
    ]
    for position, key in enumerate(lines, start=1):
        kind = next(kind for name, kind in KINDS.items() if name == key)
        quantity = random.randint(1, 40) if kind == "fixed" else 1
        rate = None if random.random() < 0.7 else own_rate(kind, random)
        add_line(files, client, "Managed services", position, key=key, kind=kind, quantity=quantity, rate=rate)
    if client.number % 5 == 0:
        add_contract(files, client, "Project 2025", date(2025, 10, 6), date(2025, 12, 4))
        add_line(files, client, "Project 2025", 1, key="emergency", kind="hourly")
        add_line(files, client, "Project 2025", 2, key="consulting", kind="hourly", rate="9900")
        add_line(files, client, "Project 2025", 3, key="backup", kind="fixed", quantity="2.5", rate="1999.999")


def own_rate(kind: str, random: Random) -> str:
    """Return a rate in cents that a client agreed for itself."""
    cents = {"fixed": (1200, 5500), "hourly": (9000, 16000), "usage": (1, 4)}[kind]
    return f"{random.randint(*cents)}.{random.choice(['25', '5', '333333'])}"


KINDS = {"desk": "fixed", "server": "fixed", "backup": "fixed", "consulting": "hourly", "onsite": "hourly",
         "storage": "usage", "sms": "usage"}  # fmt: skip


def add_contract(files: Files, client: Client, name: str, start: date, end: date | None) -> None:
    po_number = f"PO-{4000 + client.number}" if client.number % 7 == 0 else None
    files.add("contracts", tenant=client.market.tenant, contract_id=new_id("contract", client.number, name),
              client_id=client.id, name=name, start_date=start, end_date=end, po_required=po_number is not None,
              po_number=po_number)  # fmt: skip


def add_line(
    files: Files, client: Client, contract: str, position: int, *,
    key: str, kind: str, quantity: object = 1, rate: str | None = None,
) -> None:  # fmt: skip
    tenant = client.market.tenant
    files.add("contract_lines", tenant=tenant, contract_line_id=new_id("line", client.number, contract, position),
              contract_id=new_id("contract", client.number, contract), position=position, kind=kind,
              service_id=new_id("service", tenant, key), quantity=quantity, rate=rate)  # fmt: skip


def add_discounts(files: Files, client: Client) -> None:
    if client.is_idle:
        return
    tenant, number = client.market.tenant, client.number
    if number % 4 == 1:
        add_discount(files, client, "Loyalty", percent=("5", "7.5", "12.25")[number % 3])
    if number % 6 == 2:
        add_discount(files, client, "Storage partner", percent="20", service=new_id("service", tenant, "storage"))
    if number % 8 == 3 and client.cadence != "weekly":
        add_discount(files, client, "Anniversary credit", amount=2500)
    if number % 10 == 4:
        add_discount(files, client, "Welcome", percent="50", end=date(2025, 9, 1))


def add_discount(
    files: Files, client: Client, name: str, *, percent: str | None = None, amount: int | None = None,
    service: UUID | None = None, end: date | None = None,
) -> None:  # fmt: skip
    files.add("discounts", tenant=client.market.tenant, discount_id=new_id("discount", client.number, name),
              client_id=client.id, name=name, percent=percent, amount=amount, service_id=service,
              valid_from=date(2025, 1, 1), valid_to=end)  # fmt: skip


def add_cycles(files: Files, client: Client) -> None:
    for start, end in client.spans:
        derived = client.rolls_on is not None or client.cadence == "quarterly"
        files.add("client_billing_cycles", tenant=client.market.tenant,
                  billing_cycle_id=new_id("cycle", client.number, start), client_id=client.id,
                  billing_cycle=client.cadence, effective_date=start, period_start_date=None if derived else start,
                  period_end_date=None if derived else end)  # fmt: skip


def add_work(files: Files, client: Client, random: Random) -> None:
    if client.is_idle:
        return
    days = (client.spans[-1][1] - client.spans[0][0]).days + 4  # some of it lies beyond the last cycle
    for entry in range(random.randint(8, 13)):
        add_time(files, client, entry, client.spans[0][0] + timedelta(days=random.randrange(days)), random)
    for usage in range(random.randint(5, 9)):
        day = client.spans[0][0] + timedelta(days=random.randrange(days))
        key = random.choice(["storage", "sms"])
        quantity = (
            random.randint(10, 900) if key == "sms" else f"{random.randint(1, 4000)}.{random.randint(0, 999):03d}"
        )
        files.add("usage_tracking", tenant=client.market.tenant, usage_id=new_id("usage", client.number, usage),
                  client_id=client.id, service_id=new_id("service", client.market.tenant, key), usage_date=day,
                  quantity=quantity)  # fmt: skip


def add_time(files: Files, client: Client, number: int, day: date, random: Random) -> None:
    tenant = client.market.tenant
    key = random.choice(["consulting", "consulting", "onsite", "emergency"])
    status = random.choices(["approved", "submitted", "changes_requested", "draft"], [88, 6, 3, 3])[0]
    files.add("time_entries", tenant=tenant, entry_id=new_id("time", client.number, number), client_id=client.id,
              service_id=new_id("service", tenant, key), user_id=client.market.user, work_date=day, billing_date=day,
              billable_minutes=random.choice([7, 10, 15, 20, 25, 30, 45, 50, 60, 75, 90, 125, 240]),
              is_billable=random.random() > 0.06, approval_status=status)  # fmt: skip


if __name__ == "__main__":
    main()
