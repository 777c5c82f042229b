"""The sample data set, billed in full, against what was worked out from its files without our code."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from builtin_handlers.context import AttemptContext
from jobcore_handlers.bundles import BILLING_READ, request_bundle
from jobcore_handlers.bundles.handler import invoice_zip
from jobcore_handlers.files import DirectoryFileStore
from jobcore_handlers.invoicing.handler import generate_invoice
from jobcore_handlers.invoicing.payload import GenerateInvoice

EXAMPLE = Path(__file__).parents[2] / "examples" / "billing"

Attempt = Callable[..., AttemptContext]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"sample_{name}", EXAMPLE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def sample_dsn(billing_dsn: str) -> str:
    script("load").load(billing_dsn)
    return billing_dsn


def rows(dsn: str, query: str) -> list[dict[str, object]]:
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        return connection.execute(query).fetchall()


def test_the_committed_files_are_what_the_generator_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    generate = script("generate")
    monkeypatch.setattr(generate, "DATA", tmp_path)
    generate.main()
    committed = {path.name: path.read_bytes() for path in (EXAMPLE / "data").glob("*.csv")}
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.csv")} == committed


def test_the_sample_is_as_large_and_as_varied_as_a_demo_needs(sample_dsn: str) -> None:
    (counts,) = rows(
        sample_dsn,
        "select (select count(*) from billing.tenants) as tenants, (select count(*) from billing.clients) as clients, "
        "(select count(distinct billing_cycle) from billing.client_billing_cycles) as cadences, "
        "(select count(*) from billing.time_entries) as time, (select count(*) from billing.usage_tracking) as usage, "
        "(select count(*) from billing.discounts) as discounts, (select count(*) from billing.tax_rates) as taxes",
    )
    assert counts["tenants"] == 3
    assert counts["clients"] >= 60
    assert counts["cadences"] == 3
    assert counts["time"] >= 500
    assert counts["usage"] >= 300
    assert counts["discounts"] >= 20
    assert counts["taxes"] >= 5


async def test_every_cycle_billed_comes_to_the_expected_amounts(
    sample_dsn: str, attempt: Attempt, store: DirectoryFileStore
) -> None:
    expected = script("expected").expected_invoices()
    cycles = rows(sample_dsn, "select * from billing.client_billing_cycles order by effective_date, billing_cycle_id")
    assert {str(cycle["billing_cycle_id"]) for cycle in cycles} == set(expected)
    await bill_all(cycles, attempt)

    billed = rows(sample_dsn, "select * from billing.invoices")
    amounts = {str(row["billing_cycle_id"]): (row["subtotal"], row["tax"]) for row in billed}
    wanted = {cycle: (bill.subtotal, bill.tax) for cycle, bill in expected.items() if bill is not None}
    assert amounts == wanted
    assert any(tax for _, tax in wanted.values())
    assert any(bill is None for bill in expected.values())
    uneven = rows(
        sample_dsn,
        "select i.invoice_number from billing.invoices i "
        "left join billing.invoice_charges c using (tenant, invoice_id) "
        "group by i.tenant, i.invoice_id "
        "having coalesce(sum(c.net_amount), 0) <> i.subtotal or coalesce(sum(c.tax_amount), 0) <> i.tax",
    )
    assert uneven == []

    tenant: UUID = billed[0]["tenant"]  # type: ignore[assignment] - the column is a uuid
    mine = [row["invoice_id"] for row in billed if row["tenant"] == tenant]
    data = request_bundle(tenant=tenant, requester=uuid4(), permissions=[BILLING_READ], invoice_ids=mine,
                          job_service_id=str(uuid4()))  # fmt: skip
    result = await invoice_zip(attempt(tenant), data)
    content = await asyncio.to_thread(store.path_of(result["storageKey"]).read_bytes)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert len(archive.namelist()) == len(mine)


async def bill_all(cycles: list[dict[str, object]], attempt: Attempt) -> None:
    gate = asyncio.Semaphore(4)

    async def bill(cycle: dict[str, object]) -> None:
        async with gate:
            payload = GenerateInvoice.model_validate(
                {"tenant_id": cycle["tenant"], "client_id": cycle["client_id"],
                 "billing_cycle_id": cycle["billing_cycle_id"]}
            )  # fmt: skip
            await generate_invoice(attempt(cycle["tenant"]), payload)

    await asyncio.gather(*map(bill, cycles))
