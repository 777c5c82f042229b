"""J04 on a real PostgreSQL, as the tenant's own role."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from builtin_handlers.context import AttemptContext
from builtin_handlers.ledgers import Ledger
from builtin_handlers.world import World
from jobcore import SYSTEM_TENANT
from jobcore.errors import NonRetryableError, StaleClaimError
from jobcore_handlers import errors
from jobcore_handlers.credits.errors import OriginalTransactionsMissingError
from jobcore_handlers.credits.handler import expired_credits
from jobcore_handlers.credits.payload import ClientCredits

Attempt = Callable[..., AttemptContext]

ALL = ClientCredits()


@pytest.fixture
def ledger(world: World) -> Ledger:
    return Ledger(world, world.tenant)


def test_the_handler_has_the_name_and_policies_of_the_catalogue() -> None:
    assert expired_credits.name == "expired-credits"
    assert expired_credits.retry.max_attempts == 3
    assert expired_credits.timeout == timedelta(minutes=10)


def test_the_payload_has_the_shape_of_the_catalogue(world: World) -> None:
    data = ClientCredits.model_validate({"tenantId": str(world.tenant), "clientId": str(world.client)})
    assert (data.tenant_id, data.client_id) == (world.tenant, world.client)
    assert ClientCredits.model_validate({"tenantId": str(world.tenant)}).client_id is None


async def test_an_overdue_credit_loses_what_remains_of_it(world: World, ledger: Ledger, attempt: Attempt) -> None:
    credit = ledger.issue(world.client, 5000, days=-1)
    ledger.apply(credit, 1800)
    result = await expired_credits(attempt(world.tenant), ALL)

    assert result == {"expiredCount": 1, "expiredAmount": 3200, "skippedCount": 0}
    (entry,) = world.rows("select * from billing.transactions where type = 'credit_expiration'")
    assert (entry["client_id"], entry["amount"], entry["balance_after"]) == (world.client, -3200, 0)
    assert (entry["related_transaction_id"], entry["status"]) == (credit.original, "completed")
    assert entry["description"]
    (tracked,) = world.rows("select is_expired, remaining_amount from billing.credit_tracking")
    assert tracked == {"is_expired": True, "remaining_amount": 0}
    ledger.expire()
    ledger.assert_right()


async def test_the_audit_log_tells_of_each_expiry(world: World, ledger: Ledger, attempt: Attempt) -> None:
    for amount in (700, 300):
        ledger.issue(world.client, amount, days=-1)
    context = attempt(world.tenant)
    await expired_credits(context, ALL)
    told = world.rows("select * from billing.audit_logs")
    assert {(row["operation"], row["job_id"], row["user_id"].int) for row in told} == {
        ("credit_expired", context.job_id, 0)
    }
    tracked = {row["credit_id"] for row in world.rows("select credit_id from billing.credit_tracking")}
    assert {row["record_id"] for row in told} == tracked
    assert sorted(row["details"]["amount"] for row in told) == [-700, -300]


async def test_what_is_not_overdue_or_used_up_or_endless_stays(world: World, ledger: Ledger, attempt: Attempt) -> None:
    ledger.issue(world.client, 100, days=1)
    ledger.issue(world.client, 200)
    ledger.apply(ledger.issue(world.client, 300, days=-1), 300)
    assert (await expired_credits(attempt(world.tenant), ALL))["expiredCount"] == 0
    ledger.assert_right()


async def test_a_second_run_changes_nothing(world: World, ledger: Ledger, attempt: Attempt) -> None:
    ledger.issue(world.client, 900, days=-2)
    await expired_credits(attempt(world.tenant), ALL)
    assert (await expired_credits(attempt(world.tenant), ALL))["expiredCount"] == 0
    ledger.expire()
    ledger.assert_right()


async def test_runs_at_the_same_time_write_each_expiry_once(world: World, ledger: Ledger, attempt: Attempt) -> None:
    for client in [ledger.client() for _ in range(4)]:
        for amount in (100, 250, 400):
            ledger.issue(client, amount, days=-1)
    results = await asyncio.gather(*(expired_credits(attempt(world.tenant), ALL) for _ in range(4)))
    assert sum(result["expiredCount"] for result in results) == 12
    ledger.expire()
    ledger.assert_right()


async def test_only_the_client_that_is_named_is_looked_at(world: World, ledger: Ledger, attempt: Attempt) -> None:
    mine, other = ledger.issue(world.client, 100, days=-1), ledger.issue(ledger.client(), 200, days=-1)
    await expired_credits(attempt(world.tenant), ClientCredits(client_id=world.client))
    (entry,) = world.rows("select * from billing.transactions where type = 'credit_expiration'")
    assert entry["related_transaction_id"] == mine.original
    assert other.original != mine.original


async def test_another_tenants_credits_stay(world: World, ledger: Ledger, attempt: Attempt) -> None:
    theirs = Ledger(world, world.add_tenant())
    theirs.issue(theirs.client(), 100, days=-1)
    ledger.issue(world.client, 100, days=-1)
    assert (await expired_credits(attempt(world.tenant), ALL))["expiredCount"] == 1
    theirs.assert_right()


async def test_where_expiry_is_switched_off_nothing_expires(world: World, ledger: Ledger, attempt: Attempt) -> None:
    world.execute("update billing.default_billing_settings set enable_credit_expiration = false")
    ledger.issue(world.client, 100, days=-1)
    assert (await expired_credits(attempt(world.tenant), ALL))["expiredCount"] == 0
    ledger.assert_right()


async def test_a_missing_original_fails_the_job_once_all_other_credits_have_expired(
    world: World, ledger: Ledger, attempt: Attempt
) -> None:
    lost = [ledger.issue(world.client, 100, days=-1) for _ in range(7)]
    kept = [ledger.issue(client, 200, days=-2) for client in (world.client, ledger.client())]
    ledger.damage("delete from billing.transactions where amount = 100")
    for expired in (2, 0):
        context = attempt(world.tenant)
        with pytest.raises(OriginalTransactionsMissingError) as caught:
            await expired_credits(context, ALL)
        assert str(caught.value).startswith(f"7 credits did not expire, {expired} did. Original transaction ")
        assert sum(str(credit.original) in str(caught.value) for credit in lost) == 5
        assert "and so of 2 more. Restore the entries" in str(caught.value)
        assert isinstance(caught.value, NonRetryableError)
        assert context.completion() is None
    entries = world.rows("select related_transaction_id from billing.transactions where type = 'credit_expiration'")
    assert {entry["related_transaction_id"] for entry in entries} == {credit.original for credit in kept}
    left = world.rows("select transaction_id, remaining_amount from billing.credit_tracking where not is_expired")
    assert {row["transaction_id"]: row["remaining_amount"] for row in left} == {c.original: 100 for c in lost}

    world.execute("delete from billing.credit_tracking where not is_expired")
    assert (await expired_credits(attempt(world.tenant), ALL))["expiredCount"] == 0


async def test_a_credit_whose_expiry_is_entered_already_is_left_as_it_is(
    world: World, ledger: Ledger, attempt: Attempt, caplog: pytest.LogCaptureFixture
) -> None:
    credit = ledger.issue(world.client, 100, days=-1)
    world.add("transactions", client_id=world.client, type="credit_expiration", amount=-100, balance_after=0,
              related_transaction_id=credit.original)  # fmt: skip
    with caplog.at_level(logging.WARNING, "jobcore.test"):
        result = await expired_credits(attempt(world.tenant), ALL)
    assert result == {"expiredCount": 0, "expiredAmount": 0, "skippedCount": 1}
    assert len(world.rows("select from billing.transactions where type = 'credit_expiration'")) == 1
    (client,) = world.rows("select credit_balance from billing.clients where client_id = %s", world.client)
    assert client["credit_balance"] == 100
    assert "is not marked as expired" in caplog.text


async def test_the_expiries_and_the_completion_commit_together(world: World, ledger: Ledger, attempt: Attempt) -> None:
    ledger.issue(world.client, 100, days=-1)
    with pytest.raises(StaleClaimError):
        await expired_credits(attempt(world.tenant, stale=True), ALL)
    ledger.assert_right()
    context = attempt(world.tenant)
    assert context.completion() is None
    assert await expired_credits(context, ALL) == context.completion()


async def test_without_a_tenant_there_is_nothing_to_expire(world: World, attempt: Attempt) -> None:
    with pytest.raises(errors.TenantRequiredError) as caught:
        await expired_credits(attempt(SYSTEM_TENANT), ClientCredits(tenant_id="system"))
    assert str(caught.value) == "Tenant ID is required for expired credits job"
    assert isinstance(caught.value, NonRetryableError)


async def test_a_client_that_the_tenant_lacks_is_refused(world: World, attempt: Attempt) -> None:
    stranger = Ledger(world, world.add_tenant()).client()
    for client in (stranger, uuid4()):
        with pytest.raises(errors.ClientNotFoundError, match=f"Client {client} not found"):
            await expired_credits(attempt(world.tenant), ClientCredits(client_id=client))
