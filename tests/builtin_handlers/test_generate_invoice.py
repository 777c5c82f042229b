"""J01 on a real PostgreSQL, as the tenant's own role."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from uuid import uuid4

import psycopg
import pytest

from builtin_handlers.context import AttemptContext
from builtin_handlers.world import World
from jobcore.errors import NonRetryableError, StaleClaimError
from jobcore_handlers import errors
from jobcore_handlers.invoicing.handler import generate_invoice

Attempt = Callable[..., AttemptContext]

INSIDE = date(2025, 11, 12)


async def test_the_handler_has_the_name_and_policies_of_the_catalogue() -> None:
    assert generate_invoice.name == "generate-invoice"
    assert generate_invoice.retry.max_attempts == 3
    assert generate_invoice.timeout == timedelta(milliseconds=300_000)


async def test_an_invoice_has_lines_discounts_tax_and_a_ledger_entry(world: World, attempt: Attempt) -> None:
    consulting, storage = world.add_service(tax_class="standard"), world.add_service("Storage", "1.25", "reduced")
    seat = world.add_service("Seat", "2450")
    world.execute("update billing.clients set tax_region = 'GB'")
    world.add_tax("standard", "20")
    world.add_tax("reduced", "5")
    world.add_line(seat, "fixed", quantity=3)
    world.add_line(consulting)
    world.add_line(storage, "usage")
    world.add_discount(percent="10")
    world.add_time(consulting, INSIDE, 50)
    world.add_usage(storage, INSIDE, "801.5")

    result = await generate_invoice(attempt(world.tenant), world.payload())

    (invoice,) = world.invoices()
    lines = world.rows("select * from billing.invoice_charges order by position")
    # 3 x 24.50, 50 minutes at 120.00, 801.5 GB at 0.0125, minus 10 percent of it all
    assert [line["net_amount"] for line in lines] == [7350, 10000, 1002, -1835]
    assert [line["description"] for line in lines] == [
        "Care: Seat", "Care: Consulting", "Care: Storage", "Discount: Loyalty (10%)"
    ]  # fmt: skip
    assert (invoice["subtotal"], invoice["tax"], invoice["total"]) == (16517, 1846, 18363)
    assert (invoice["status"], invoice["is_manual"], invoice["credit_applied"]) == ("draft", False, 0)
    assert (invoice["billing_period_start"], invoice["billing_period_end"]) == (date(2025, 11, 1), date(2025, 12, 1))
    assert invoice["due_date"] - invoice["invoice_date"] == timedelta(days=30)
    assert invoice["billing_cycle_id"] == world.cycle
    assert result["invoiceId"] == str(invoice["invoice_id"])
    assert result["total"] == 18363
    (entry,) = world.rows("select * from billing.transactions")
    assert (entry["type"], entry["amount"], entry["balance_after"]) == ("invoice_generated", 18363, 18363)


async def test_a_clients_credit_is_not_part_of_what_it_owes(world: World, attempt: Attempt) -> None:
    service = world.add_service()
    world.add_line(service)
    world.add_time(service, INSIDE)
    world.add("transactions", client_id=world.client, type="credit_issuance", amount=5000, balance_after=5000)
    await generate_invoice(attempt(world.tenant), world.payload())
    (entry,) = world.rows("select balance_after from billing.transactions where not is_credit")
    assert entry["balance_after"] == 12000


async def test_what_was_billed_is_marked_and_not_billed_again(world: World, attempt: Attempt) -> None:
    service = world.add_service()
    world.add_line(service)
    world.add_line(service, "usage", rate="100")
    world.add_time(service, INSIDE)
    world.add_usage(service, INSIDE, "1")
    december = world.add_cycle((date(2025, 11, 1), date(2026, 1, 1)), effective_date=date(2025, 12, 1))
    first = await generate_invoice(attempt(world.tenant), world.payload())
    second = await generate_invoice(attempt(world.tenant), world.payload(billing_cycle_id=december))
    assert first["total"] == 12100
    assert second["total"] == 0


async def test_the_last_day_of_a_period_is_in_it_and_the_end_is_not(world: World, attempt: Attempt) -> None:
    service = world.add_service()
    world.add_line(service)
    world.add_time(service, date(2025, 10, 31), 1000)
    world.add_time(service, date(2025, 11, 1), 60)
    world.add_time(service, date(2025, 11, 30), 60)
    world.add_time(service, date(2025, 12, 1), 1000)
    assert (await generate_invoice(attempt(world.tenant), world.payload()))["total"] == 24000


async def test_discounts_taxes_and_contracts_are_those_of_the_periods_last_day(world: World, attempt: Attempt) -> None:
    last, after = date(2025, 11, 30), date(2025, 12, 1)
    world.execute("update billing.clients set tax_region = 'GB'")
    for kind, percent, changed in (("standard", "10", "20"), ("reduced", "50", "5")):
        service = world.add_service(rate="100", tax_class=kind)
        world.add_line(service, "usage")
        for day in (date(2025, 10, 31), date(2025, 11, 1), last, after):
            world.add_usage(service, day, "5")
        world.add_tax(kind, percent)
        world.add("tax_rates", tax_rate_id=uuid4(), region="GB", tax_class=kind, percent=changed, valid_from=last)
    world.execute("update billing.tax_rates set valid_from = '2025-11-10', valid_to = '2025-11-30' where percent = 50")
    world.execute("update billing.tax_rates set valid_from = '2025-01-01' where percent = 5")
    for percent, begins, ends in ((10, last, after), (20, after, None), (40, date(2025, 1, 1), last)):
        world.add_discount(percent=percent, valid_from=begins, valid_to=ends)
    ended = world.add("contracts", contract_id=uuid4(), client_id=world.client, name="Old", is_active=False,
                      start_date=date(2025, 1, 1))  # fmt: skip
    world.add_line(world.add_service(), "fixed", contract_id=ended["contract_id"])
    world.add("client_billing_settings", client_id=world.client, payment_terms="net_7")

    billed = await generate_invoice(attempt(world.tenant), world.payload())
    # 10 units of each of two services at 1.00, minus 10 percent; 20 percent tax on the one half, 5 on the other
    assert (billed["subtotal"], billed["tax"]) == (1800, 180 + 45)
    (invoice,) = world.invoices()
    assert invoice["due_date"] - invoice["invoice_date"] == timedelta(days=7)


async def test_a_cycle_without_dates_runs_from_its_effective_date_to_the_next_anchor(
    world: World, attempt: Attempt
) -> None:
    world.add("client_billing_settings", client_id=world.client, anchor_day_of_month=10)
    cycle = world.add_cycle((None, None), effective_date=date(2025, 11, 20))
    await generate_invoice(attempt(world.tenant), world.payload(billing_cycle_id=cycle))
    (invoice,) = world.invoices()
    assert (invoice["billing_period_start"], invoice["billing_period_end"]) == (date(2025, 11, 20), date(2025, 12, 10))


async def test_unapproved_time_is_not_billed_but_rolls_to_the_next_period(world: World, attempt: Attempt) -> None:
    service = world.add_service()
    world.add_line(service)
    waiting = world.add_time(service, INSIDE, status="submitted")
    world.add_time(service, INSIDE, 30)
    assert (await generate_invoice(attempt(world.tenant), world.payload()))["total"] == 6000
    (entry,) = world.rows("select * from billing.time_entries where entry_id = %s", waiting)
    assert (entry["work_date"], entry["billing_date"], entry["invoice_id"]) == (INSIDE, date(2025, 12, 1), None)

    world.execute("update billing.time_entries set approval_status = 'approved'")
    december = world.add_cycle((date(2025, 12, 1), date(2026, 1, 1)))
    assert (await generate_invoice(attempt(world.tenant), world.payload(billing_cycle_id=december)))["total"] == 12000


async def test_work_approved_after_its_contract_ended_is_still_billed(
    world: World, attempt: Attempt, caplog: pytest.LogCaptureFixture
) -> None:
    service = world.add_service()
    world.add_line(service)
    world.execute("update billing.contracts set end_date = '2025-11-20'")
    world.add_time(service, INSIDE, billing_date=date(2025, 12, 1))
    world.add_time(service, date(2025, 11, 20), billing_date=date(2025, 12, 1))
    december = world.add_cycle((date(2025, 12, 1), date(2026, 1, 1)))
    assert (await generate_invoice(attempt(world.tenant), world.payload(billing_cycle_id=december)))["total"] == 12000
    assert f"Billing cycle {december}: no contract line covers 1 time entries" in caplog.text


async def test_the_invoice_is_the_requesters_else_the_systems(world: World, attempt: Attempt) -> None:
    december = world.add_cycle((date(2025, 12, 1), date(2026, 1, 1)))
    await generate_invoice(attempt(world.tenant), world.payload(user_id=world.user))
    await generate_invoice(attempt(world.tenant), world.payload(billing_cycle_id=december))
    assert [invoice["created_by"].int for invoice in world.invoices()] == [world.user.int, 0]


@pytest.mark.parametrize(("handling", "status"), [("normal", "draft"), ("finalized", "finalized")])
async def test_an_empty_cycle_makes_an_invoice_over_nothing(
    world: World, attempt: Attempt, handling: str, status: str
) -> None:
    world.execute("update billing.default_billing_settings set zero_dollar_invoice_handling = %s", handling)
    result = await generate_invoice(attempt(world.tenant), world.payload())
    (invoice,) = world.invoices()
    assert (result["total"], invoice["status"]) == (0, status)
    assert (invoice["finalized_at"] is not None) is (status == "finalized")


async def test_an_empty_cycle_is_suppressed_if_the_settings_say_so_and_its_time_still_rolls(
    world: World, attempt: Attempt
) -> None:
    service = world.add_service()
    world.add("client_billing_settings", client_id=world.client, zero_dollar_invoice_handling="suppress")
    world.add_time(service, INSIDE, status="draft")
    context = attempt(world.tenant)
    assert await generate_invoice(context, world.payload()) == {"invoiceId": None}
    assert world.invoices() == []
    assert len(world.rows("select from completions")) == 1
    assert world.rows("select billing_date from billing.time_entries")[0]["billing_date"] == date(2025, 12, 1)


# -- refusals ----------------------------------------------------------------------------------------------------------


async def refusal(world: World, attempt: Attempt, **changes: object) -> errors.BillingError:
    with pytest.raises(errors.BillingError) as caught:
        await generate_invoice(attempt(world.tenant), world.payload(**changes))
    assert world.rows("select from completions") == []
    return caught.value


async def test_an_unknown_cycle_is_refused(world: World, attempt: Attempt) -> None:
    missing = uuid4()
    error = await refusal(world, attempt, billing_cycle_id=missing)
    assert str(error) == "Billing cycle not found"
    assert isinstance(error, NonRetryableError)
    assert str(missing) in error.__notes__[0]


async def test_the_cycle_of_another_client_is_refused(world: World, attempt: Attempt) -> None:
    other = world.add_client()
    assert str(await refusal(world, attempt, client_id=other)) == "Billing cycle not found"


@pytest.mark.parametrize(
    "period",
    [(date(2025, 11, 1), None), (None, date(2025, 11, 30)), (date(2025, 11, 2), date(2025, 11, 2)),
     (date(2025, 11, 9), date(2025, 11, 2))],
)  # fmt: skip
async def test_dates_that_make_no_period_are_refused(
    world: World, attempt: Attempt, period: tuple[date | None, date | None]
) -> None:
    cycle = world.add_cycle(period, effective_date=date(2025, 6, 1))
    assert str(await refusal(world, attempt, billing_cycle_id=cycle)) == "Invalid billing cycle dates"


async def test_a_cycle_that_another_job_billed_is_refused(world: World, attempt: Attempt) -> None:
    await generate_invoice(attempt(world.tenant), world.payload())
    with pytest.raises(errors.CycleAlreadyBilledError) as caught:
        await generate_invoice(attempt(world.tenant), world.payload())
    assert str(caught.value) == "No active contract lines for this period"
    assert world.invoices()[0]["invoice_number"] in caught.value.__notes__[0]
    assert len(world.invoices()) == 1


async def test_a_tenant_without_billing_settings_is_refused(world: World, attempt: Attempt) -> None:
    world.execute("delete from billing.default_billing_settings")
    assert str(await refusal(world, attempt)) == "No billing settings found"


async def test_a_fixed_discount_without_any_charge_is_refused(world: World, attempt: Attempt) -> None:
    world.add_discount(amount=500)
    assert str(await refusal(world, attempt)) == "Nothing to bill"


async def test_a_contract_that_needs_a_purchase_order_is_refused_without_one(world: World, attempt: Attempt) -> None:
    world.execute("update billing.contracts set po_required = true, po_number = '  '")
    error = await refusal(world, attempt)
    assert isinstance(error, errors.PurchaseOrderMissingError)
    assert "'Care'" in str(error)


async def test_a_purchase_order_number_is_printed_on_the_invoice(world: World, attempt: Attempt) -> None:
    world.execute("update billing.contracts set po_required = true, po_number = 'PO-7'")
    await generate_invoice(attempt(world.tenant), world.payload())
    assert world.invoices()[0]["po_number"] == "PO-7"


async def test_a_contract_that_is_not_in_force_needs_no_purchase_order(world: World, attempt: Attempt) -> None:
    world.execute("update billing.contracts set end_date = '2025-11-01'")
    world.add("contracts", contract_id=uuid4(), client_id=world.client, name="Next", start_date=date(2025, 12, 1))
    world.execute("update billing.contracts set po_required = true")
    await generate_invoice(attempt(world.tenant), world.payload())
    assert len(world.invoices()) == 1


async def test_a_charge_without_a_rate_names_its_service(world: World, attempt: Attempt) -> None:
    service = world.add_service("Night watch", rate=None)
    world.add_line(service)
    world.add_time(service, INSIDE)
    error = await refusal(world, attempt)
    assert isinstance(error, errors.RateMissingError)
    assert "'Night watch'" in str(error)


async def test_a_taxable_charge_without_a_tax_rate_names_region_and_service(world: World, attempt: Attempt) -> None:
    service = world.add_service("Consulting", tax_class="standard")
    world.execute("update billing.clients set tax_region = 'FR'")
    world.add_line(service)
    world.add_time(service, INSIDE)
    error = await refusal(world, attempt)
    assert isinstance(error, errors.TaxRateMissingError)
    assert "'FR'" in str(error)


async def test_an_exempt_client_pays_no_tax(world: World, attempt: Attempt) -> None:
    service = world.add_service(tax_class="standard")
    world.execute("update billing.clients set tax_region = 'GB', is_tax_exempt = true")
    world.add_line(service)
    world.add_time(service, INSIDE)
    assert (await generate_invoice(attempt(world.tenant), world.payload()))["tax"] == 0


# -- once, and only once -----------------------------------------------------------------------------------------------


async def test_a_worker_that_lost_the_job_leaves_no_invoice(world: World, attempt: Attempt) -> None:
    job = uuid4()
    with pytest.raises(StaleClaimError):
        await generate_invoice(attempt(world.tenant, job_id=job, stale=True), world.payload())
    assert world.invoices() == []
    assert world.rows("select from billing.numbering") == []
    await generate_invoice(attempt(world.tenant, job_id=job), world.payload())
    assert len(world.invoices()) == 1


async def test_two_jobs_at_once_bill_a_cycle_once(world: World, attempt: Attempt) -> None:
    outcomes = await asyncio.gather(
        *(generate_invoice(attempt(world.tenant), world.payload()) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(outcome, dict) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, errors.CycleAlreadyBilledError) for outcome in outcomes) == 3
    assert len(world.invoices()) == 1
    assert len(world.rows("select from billing.transactions")) == 1


async def test_parallel_invoices_have_numbers_without_gaps_and_a_ledger_that_adds_up(
    world: World, attempt: Attempt
) -> None:
    service = world.add_service("Seat", "100")
    world.add_line(service, "fixed")
    cycles = [world.add_cycle((date(2026, month, 1), date(2026, month + 1, 1))) for month in range(1, 9)]
    await asyncio.gather(
        *(generate_invoice(attempt(world.tenant), world.payload(billing_cycle_id=cycle)) for cycle in cycles)
    )
    assert [invoice["invoice_number"] for invoice in world.invoices()] == [f"INV-{n:06d}" for n in range(1, 9)]
    balances = world.rows("select balance_after from billing.transactions order by balance_after")
    assert [row["balance_after"] for row in balances] == [100 * n for n in range(1, 9)]


async def test_an_invoice_is_entered_after_what_others_enter_for_its_client(world: World, attempt: Attempt) -> None:
    world.add_line(world.add_service("Seat", "100"), "fixed")
    with psycopg.connect(world.dsn) as connection:
        connection.execute("select from billing.clients for no key update")
        billing = asyncio.create_task(generate_invoice(attempt(world.tenant), world.payload()))
        await world.until_blocked(billing)
        connection.execute(
            "insert into billing.transactions (tenant, client_id, type, amount, balance_after) "
            "values (%s, %s, 'payment', -30, -30)", (world.tenant, world.client),
        )  # fmt: skip
    await billing
    (entry,) = world.rows("select balance_after from billing.transactions where type = 'invoice_generated'")
    assert entry["balance_after"] == 70


async def test_a_number_that_is_taken_is_passed_over(world: World, attempt: Attempt) -> None:
    take_numbers(world, "INV-000001", "INV-000002")
    result = await generate_invoice(attempt(world.tenant), world.payload())
    assert result["invoiceNumber"] == "INV-000003"


async def test_three_numbers_that_are_taken_fail_the_attempt(world: World, attempt: Attempt) -> None:
    take_numbers(world, "INV-000001", "INV-000002", "INV-000003")
    error = await refusal(world, attempt)
    assert isinstance(error, errors.InvoiceNumberError)
    assert not isinstance(error, NonRetryableError)
    assert "INV-000003" in str(error)


def take_numbers(world: World, *numbers: str) -> None:
    for number in numbers:
        world.add("invoices", invoice_id=uuid4(), client_id=world.client, invoice_number=number, currency="USD",
                  invoice_date=INSIDE, due_date=INSIDE, subtotal=0, tax=0, created_by=world.user)  # fmt: skip


async def test_another_tenant_cannot_bill_this_ones_cycle(world: World, attempt: Attempt) -> None:
    stranger = world.add_tenant()
    with pytest.raises(errors.BillingCycleNotFoundError):
        await generate_invoice(attempt(stranger), world.payload())
    assert world.invoices() == []
