"""One small tenant, built row by row; each test adds what it is about."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed, Identifier, Placeholder

from jobcore_handlers.invoicing.payload import GenerateInvoice

NOVEMBER = (date(2025, 11, 1), date(2025, 12, 1))


class World:
    """Writes and reads as superuser, past row-level security; all in one tenant unless told otherwise."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.tenant = self.add_tenant()
        self.user = uuid4()
        self.client = self.add_client()
        self.contract = self.add("contracts", contract_id=uuid4(), client_id=self.client, name="Care",
                                 start_date=date(2025, 1, 1))["contract_id"]  # fmt: skip
        self.cycle = self.add_cycle()
        self._lines = 0

    def add_tenant(self) -> UUID:
        tenant = uuid4()
        self.add("tenants", tenant=tenant, name="Pinewater", street="1 Harbour Road", city="Portland", country="US")
        self.add("default_billing_settings", tenant=tenant)
        return tenant

    def add(self, table: str, **row: Any) -> dict[str, Any]:
        row = {"tenant": getattr(self, "tenant", None), **row}
        columns = SQL(", ").join(map(Identifier, row))
        values = SQL(", ").join(map(Placeholder, row))
        statement = SQL("insert into {} ({}) values ({}) returning *").format(
            Identifier("billing", table), columns, values
        )
        with psycopg.connect(self.dsn, row_factory=dict_row) as connection:
            inserted = connection.execute(statement, row).fetchone()
        assert inserted is not None
        return inserted

    def add_client(self, **row: Any) -> UUID:
        return self.add("clients", **{"client_id": uuid4(), "name": "Alder & Finch", **row})["client_id"]

    def add_cycle(self, period: tuple[date | None, date | None] = NOVEMBER, **row: Any) -> UUID:
        values = {"billing_cycle_id": uuid4(), "client_id": self.client, "billing_cycle": "monthly",
                  "effective_date": period[0] or date(2025, 11, 1), "period_start_date": period[0],
                  "period_end_date": period[1], **row}  # fmt: skip
        return self.add("client_billing_cycles", **values)["billing_cycle_id"]

    def add_service(self, name: str = "Consulting", rate: str | None = "12000", tax_class: str | None = None) -> UUID:
        return self.add("services", service_id=uuid4(), name=name, unit="hour", default_rate=rate,
                        tax_class=tax_class)["service_id"]  # fmt: skip

    def add_line(self, service: UUID, kind: str = "hourly", **row: Any) -> UUID:
        self._lines += 1
        values = {"contract_line_id": uuid4(), "contract_id": self.contract, "position": self._lines, **row}
        return self.add("contract_lines", service_id=service, kind=kind, **values)["contract_line_id"]

    def add_time(self, service: UUID, day: date, minutes: int = 60, status: str = "approved", **row: Any) -> UUID:
        values = {"entry_id": uuid4(), "client_id": self.client, "user_id": self.user, "work_date": day,
                  "billing_date": day, "billable_minutes": minutes, "approval_status": status, **row}  # fmt: skip
        return self.add("time_entries", service_id=service, **values)["entry_id"]

    def add_usage(self, service: UUID, day: date, quantity: str) -> UUID:
        return self.add("usage_tracking", usage_id=uuid4(), client_id=self.client, service_id=service, usage_date=day,
                        quantity=quantity)["usage_id"]  # fmt: skip

    def add_tax(self, tax_class: str, percent: str, region: str = "GB") -> UUID:
        return self.add("tax_rates", tax_rate_id=uuid4(), region=region, tax_class=tax_class, percent=percent,
                        valid_from=date(2020, 1, 1))["tax_rate_id"]  # fmt: skip

    def add_discount(self, name: str = "Loyalty", **row: Any) -> UUID:
        values = {"discount_id": uuid4(), "client_id": self.client, "valid_from": date(2025, 1, 1), **row}
        return self.add("discounts", name=name, **values)["discount_id"]

    def execute(self, statement: str | Composed, *values: Any) -> None:
        with psycopg.connect(self.dsn) as connection:
            connection.execute(statement, values)

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self.dsn, row_factory=dict_row) as connection:
            return connection.execute(query, values).fetchall()

    async def until_blocked(self, work: asyncio.Task[Any]) -> None:
        """Wait until a session waits for a lock, which `work` must not end without."""
        waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        while not self.rows(waiting):
            assert not work.done()
            await asyncio.sleep(0.01)

    def invoices(self) -> list[dict[str, Any]]:
        return self.rows("select * from billing.invoices order by invoice_number")

    def payload(self, **changes: Any) -> GenerateInvoice:
        values = {"tenant_id": self.tenant, "client_id": self.client, "billing_cycle_id": self.cycle, **changes}
        return GenerateInvoice(**values)
