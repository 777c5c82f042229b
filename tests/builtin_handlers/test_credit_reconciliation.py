"""J06 on a real PostgreSQL, as the tenant's own role."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from builtin_handlers.context import AttemptContext
from builtin_handlers.ledgers import Ledger
from builtin_handlers.world import World
from jobcore import SYSTEM_TENANT
from jobcore.errors import StaleClaimError
from jobcore_handlers import errors
from jobcore_handlers.credits.handler import credit_reconciliation
from jobcore_handlers.credits.payload import ClientCredits
from support.samples import ROOT, samples_of

Attempt = Callable[..., AttemptContext]

ALL = ClientCredits()
PAGE = ROOT / "docs" / "reference" / "handlers" / "credit-reconciliation.md"
NOTHING = {"balanceDiscrepancyCount": 0, "missingTrackingCount": 0, "inconsistentTrackingCount": 0, "errorCount": 0}


@pytest.fixture
def ledger(world: World) -> Ledger:
    return Ledger(world, world.tenant)


def test_the_handler_has_the_name_and_policies_of_the_catalogue() -> None:
    assert credit_reconciliation.name == "credit-reconciliation"
    assert credit_reconciliation.retry.max_attempts == 3
    assert credit_reconciliation.timeout == timedelta(minutes=10)


async def test_correct_ledgers_are_counted_and_yield_no_report(world: World, ledger: Ledger, attempt: Attempt) -> None:
    other = ledger.client()
    credit = ledger.issue(world.client, 5000)
    ledger.apply(credit, 1200)
    ledger.transfer(credit, other, 800)
    ledger.client()
    context = attempt(world.tenant)
    result = await credit_reconciliation(context, ALL)
    assert result == {"totalClients": 3, "balanceValidCount": 3, **NOTHING}
    assert context.completion() == result
    assert context.progress_reports == sorted(context.progress_reports)
    assert context.progress_reports[-1] == 100
    ledger.assert_right()


async def test_an_overdue_credit_expires_first_and_is_no_discrepancy(
    world: World, ledger: Ledger, attempt: Attempt
) -> None:
    ledger.apply(ledger.issue(world.client, 5000, days=-1), 1200)
    for _ in range(2):
        assert (await credit_reconciliation(attempt(world.tenant), ALL))["balanceValidCount"] == 1
    ledger.expire()
    ledger.assert_right()


async def test_a_changed_balance_is_reported_and_not_corrected(world: World, ledger: Ledger, attempt: Attempt) -> None:
    ledger.issue(world.client, 5000)
    ledger.damage("update billing.clients set credit_balance = 4990")
    result = await credit_reconciliation(attempt(world.tenant), ALL)
    assert result == {"totalClients": 1, "balanceValidCount": 0, **NOTHING, "balanceDiscrepancyCount": 1}
    (report,) = ledger.reports()
    assert (report["issue_type"], report["client_id"]) == ("credit_balance_discrepancy", world.client)
    assert (report["expected_balance"], report["actual_balance"], report["difference"]) == (5000, 4990, -10)
    assert report["status"] == "open"
    (client,) = world.rows("select credit_balance from billing.clients")
    assert client["credit_balance"] == 4990


async def test_a_balance_without_a_ledger_is_reported(world: World, ledger: Ledger, attempt: Attempt) -> None:
    ledger.damage("update billing.clients set credit_balance = 1")
    await credit_reconciliation(attempt(world.tenant), ALL)
    (report,) = ledger.reports()
    assert (report["expected_balance"], report["actual_balance"]) == (0, 1)


async def test_a_missing_credit_is_reported(world: World, ledger: Ledger, attempt: Attempt) -> None:
    credit = ledger.issue(world.client, 5000)
    moved = ledger.transfer(credit, ledger.client(), 700)
    ledger.damage("delete from billing.credit_tracking where transaction_id = %s", moved.original)
    result = await credit_reconciliation(attempt(world.tenant), ALL)
    assert result == {"totalClients": 2, "balanceValidCount": 2, **NOTHING, "missingTrackingCount": 1}
    (report,) = ledger.reports()
    assert report["issue_type"] == "missing_credit_tracking_entry"
    assert (report["transaction_id"], report["client_id"]) == (moved.original, moved.client)
    assert (report["expected_balance"], report["actual_balance"]) == (700, 0)


async def test_a_wrong_remainder_is_reported_to_the_cent(world: World, ledger: Ledger, attempt: Attempt) -> None:
    credit = ledger.issue(world.client, 5000)
    ledger.apply(credit, 1000)
    ledger.damage("update billing.credit_tracking set remaining_amount = remaining_amount + 1")
    result = await credit_reconciliation(attempt(world.tenant), ALL)
    assert result == {"totalClients": 1, "balanceValidCount": 1, **NOTHING, "inconsistentTrackingCount": 1}
    (report,) = ledger.reports()
    (tracked,) = world.rows("select credit_id from billing.credit_tracking")
    assert report["issue_type"] == "inconsistent_credit_remaining_amount"
    assert report["credit_id"] == tracked["credit_id"]
    assert (report["expected_balance"], report["actual_balance"]) == (4000, 4001)


async def test_a_wrong_remainder_is_still_found_once_it_has_expired(
    world: World, ledger: Ledger, attempt: Attempt
) -> None:
    ledger.issue(world.client, 5000, days=-1)
    ledger.damage("update billing.credit_tracking set remaining_amount = 4000")
    await credit_reconciliation(attempt(world.tenant), ALL)
    (report,) = ledger.reports()
    assert (report["expected_balance"], report["actual_balance"]) == (1000, 0)


@pytest.mark.parametrize("status", ["open", "in_review"])
async def test_a_report_that_nobody_resolved_is_refreshed_and_not_doubled(
    world: World, ledger: Ledger, attempt: Attempt, status: str
) -> None:
    ledger.issue(world.client, 5000)
    ledger.damage("update billing.clients set credit_balance = 1")
    await credit_reconciliation(attempt(world.tenant), ALL)
    (first,) = ledger.reports()
    ledger.damage("update billing.credit_reconciliation_reports set status = %s, metadata = '{\"note\": 1}'", status)
    ledger.damage("update billing.clients set credit_balance = 2")
    context = attempt(world.tenant)
    await credit_reconciliation(context, ALL)
    (second,) = ledger.reports()
    assert second["report_id"] == first["report_id"]
    assert (second["actual_balance"], second["status"]) == (2, status)
    assert second["detection_date"] > first["detection_date"]
    assert second["metadata"] == {"note": 1, "jobId": str(context.job_id)}


async def test_what_comes_back_after_it_was_resolved_is_a_new_report(
    world: World, ledger: Ledger, attempt: Attempt
) -> None:
    ledger.damage("update billing.clients set credit_balance = 1")
    await credit_reconciliation(attempt(world.tenant), ALL)
    ledger.damage("update billing.credit_reconciliation_reports set status = 'resolved'")
    await credit_reconciliation(attempt(world.tenant), ALL)
    assert sorted(report["status"] for report in ledger.reports()) == ["open", "resolved"]


async def test_runs_at_the_same_time_leave_one_report(world: World, ledger: Ledger, attempt: Attempt) -> None:
    ledger.issue(world.client, 5000)
    ledger.damage("update billing.clients set credit_balance = 1")
    ledger.damage("update billing.credit_tracking set remaining_amount = 1")
    await asyncio.gather(*(credit_reconciliation(attempt(world.tenant), ALL) for _ in range(4)))
    assert sorted(report["issue_type"] for report in ledger.reports()) == [
        "credit_balance_discrepancy",
        "inconsistent_credit_remaining_amount",
    ]


async def test_a_client_whose_credit_is_being_changed_is_checked_afterwards(
    world: World, ledger: Ledger, attempt: Attempt
) -> None:
    ledger.issue(world.client, 100)
    with psycopg.connect(world.dsn) as connection:
        ledger.issue_in(connection, world.client, 50)
        checking = asyncio.create_task(credit_reconciliation(attempt(world.tenant), ALL))
        await world.until_blocked(checking)
    assert (await checking)["balanceValidCount"] == 1
    assert ledger.reports() == []


async def test_a_client_that_fails_is_counted_and_recorded_and_the_others_go_on(
    world: World, ledger: Ledger, attempt: Attempt, caplog: pytest.LogCaptureFixture
) -> None:
    """What the database says of a row is neither logged nor stored."""
    broken, off = ledger.issue(world.client, 100), ledger.issue(ledger.client(), 200)
    fine = ledger.issue(ledger.client(), 300, days=-1)
    ledger.damage("update billing.clients set credit_balance = credit_balance + 1, name = 'Secret Client'"
                  " where client_id <> %s", fine.client)  # fmt: skip
    ledger.refuse_reports_of(broken.client)
    context = attempt(world.tenant)
    with caplog.at_level(logging.DEBUG, "jobcore.test"):
        result = await credit_reconciliation(context, ALL)
    counts = {"balanceDiscrepancyCount": 1, "errorCount": 1}
    assert result == {"totalClients": 3, "balanceValidCount": 1, **NOTHING, **counts}
    assert context.details == {f"Client {broken.client}": [("failed", {"error": "CheckViolation (23514)"})]}
    assert [report["client_id"] for report in ledger.reports()] == [off.client]
    (entry,) = world.rows("select client_id from billing.transactions where type = 'credit_expiration'")
    assert entry["client_id"] == fine.client
    assert f"The credits of client {broken.client} were not checked" in caplog.text
    told = f"{caplog.text} {world.rows('select * from billing.audit_logs')}"
    assert not [secret for secret in ("Secret", "Failing row") if secret in told]


async def test_a_credit_of_unknown_origin_is_reported(world: World, ledger: Ledger, attempt: Attempt) -> None:
    lost = ledger.issue(world.client, 100, days=-1)
    ledger.damage("delete from billing.transactions where transaction_id = %s", lost.original)
    result = await credit_reconciliation(attempt(world.tenant), ALL)
    assert (result["inconsistentTrackingCount"], result["errorCount"]) == (1, 0)
    (report,) = ledger.reports(issue_type="inconsistent_credit_remaining_amount")
    assert (report["transaction_id"], report["expected_balance"]) == (lost.original, 0)


async def test_the_audit_log_tells_when_a_run_began_and_how_it_ended(
    world: World, ledger: Ledger, attempt: Attempt
) -> None:
    job = uuid4()
    with pytest.raises(StaleClaimError):
        await credit_reconciliation(attempt(world.tenant, job_id=job, stale=True), ALL)
    result = await credit_reconciliation(attempt(world.tenant, job_id=job), ALL)
    started, completed = world.rows("select * from billing.audit_logs order by occurred_at")
    assert [row["operation"] for row in (started, completed)] == [
        "credit_validation_run_started",
        "credit_validation_run_completed",
    ]
    assert started["details"] == {"clientId": None, "totalClients": 1}
    assert completed["details"].pop("durationMs") >= 0
    assert completed["details"] == result
    assert {row["job_id"] for row in (started, completed)} == {job}


async def test_another_tenants_ledgers_are_left_alone(world: World, ledger: Ledger, attempt: Attempt) -> None:
    theirs = Ledger(world, world.add_tenant())
    credit = theirs.issue(theirs.client(), 100, days=-1)
    theirs.damage("update billing.clients set credit_balance = 1 where client_id = %s", credit.client)
    assert (await credit_reconciliation(attempt(world.tenant), ALL))["totalClients"] == 1
    assert theirs.reports() == []
    assert theirs.rows("select from billing.credit_tracking where tenant = %s and is_expired") == []


async def test_only_the_client_that_is_named_is_checked(world: World, ledger: Ledger, attempt: Attempt) -> None:
    ledger.client()
    ledger.damage("update billing.clients set credit_balance = 1")
    result = await credit_reconciliation(attempt(world.tenant), ClientCredits(client_id=world.client))
    assert result["totalClients"] == 1
    assert [report["client_id"] for report in ledger.reports()] == [world.client]


async def test_a_credit_that_is_entered_as_the_page_says_is_right(world: World, attempt: Attempt) -> None:
    (entering,) = [sample.code for sample in samples_of(PAGE) if sample.language == "sql"]
    tenant, client = (UUID(found) for found in sorted(set(re.findall(r"[0-9a-f-]{36}", entering))))
    world.add("tenants", tenant=tenant, name="Pinewater")
    world.add_client(tenant=tenant, client_id=client)
    world.execute(entering)
    result = await credit_reconciliation(attempt(tenant), ALL)
    assert result == {"totalClients": 1, "balanceValidCount": 1, **NOTHING}
    (row,) = world.rows("select credit_balance from billing.clients where client_id = %s", client)
    assert row["credit_balance"] == 3000


async def test_a_wrong_payload_is_refused(world: World, attempt: Attempt) -> None:
    with pytest.raises(errors.TenantRequiredError, match="^Tenant ID is required for credit reconciliation job$"):
        await credit_reconciliation(attempt(SYSTEM_TENANT), ALL)
    with pytest.raises(errors.ClientNotFoundError):
        await credit_reconciliation(attempt(world.tenant), ClientCredits(client_id=uuid4()))
