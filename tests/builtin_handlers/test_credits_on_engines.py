"""Credits and buckets as users meet them: enqueued on an application, run by a worker on either engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import pytest

from builtin_handlers.ledgers import Ledger
from builtin_handlers.world import World
from jobcore.app.facade import JobApp
from jobcore.errors import JobFailedError
from jobcore.states import JobState
from jobcore_handlers.buckets.handler import reconcile_bucket_usage
from jobcore_handlers.buckets.payload import ReconcileBucketUsage
from jobcore_handlers.credits.handler import credit_reconciliation, expired_credits
from jobcore_handlers.credits.payload import ClientCredits


@pytest.fixture
async def app(open_app: Callable[..., AbstractAsyncContextManager[JobApp]]) -> AsyncIterator[JobApp]:
    async with open_app() as app:
        yield app


@pytest.fixture
def ledger(world: World) -> Ledger:
    return Ledger(world, world.tenant)


async def test_overdue_credits_expire_and_the_ledger_is_right(app: JobApp, world: World, ledger: Ledger) -> None:
    credit = ledger.issue(world.client, 9000, days=-1)
    ledger.apply(credit, 2500)
    ledger.issue(world.client, 100, days=5)
    expiring = await expired_credits.enqueue(app, ClientCredits(tenant_id=world.tenant))
    assert await expiring.result(timeout=30) == {"expiredCount": 1, "expiredAmount": 6500, "skippedCount": 0}
    assert (await expiring.status()).status is JobState.COMPLETED
    (told,) = world.rows("select job_id from billing.audit_logs")
    assert told["job_id"] == expiring.job_id
    ledger.expire()
    ledger.assert_right()

    checking = await credit_reconciliation.enqueue(app, ClientCredits(tenant_id=world.tenant))
    assert (await checking.result(timeout=30))["balanceValidCount"] == 1
    ledger.assert_right()


async def test_what_is_wrong_is_reported_and_what_cannot_be_checked_is_a_detail(
    app: JobApp, world: World, ledger: Ledger
) -> None:
    broken, off = ledger.issue(ledger.client(), 100), ledger.issue(world.client, 200)
    ledger.damage("update billing.clients set credit_balance = credit_balance + 1")
    ledger.refuse_reports_of(broken.client)
    checking = await credit_reconciliation.enqueue(app, ClientCredits(tenant_id=world.tenant))
    assert await checking.result(timeout=30) == {
        "totalClients": 2, "balanceValidCount": 0, "balanceDiscrepancyCount": 1, "missingTrackingCount": 0,
        "inconsistentTrackingCount": 0, "errorCount": 1,
    }  # fmt: skip
    (report,) = ledger.reports()
    assert (report["client_id"], report["difference"]) == (off.client, 1)
    (detail,) = await app.details(world.tenant, checking.job_id)
    assert (detail.step_name, detail.status) == (f"Client {broken.client}", "failed")
    assert detail.result == {"error": "CheckViolation (23514)"}


async def test_a_lost_original_fails_the_job_at_once_and_the_other_credits_expire(
    app: JobApp, world: World, ledger: Ledger
) -> None:
    lost = ledger.issue(world.client, 100, days=-1)
    ledger.issue(world.client, 200, days=-1)
    ledger.damage("delete from billing.transactions where transaction_id = %s", lost.original)
    job = await expired_credits.enqueue(app, ClientCredits(tenant_id=world.tenant))
    with pytest.raises(JobFailedError, match=f"Original transaction {lost.original}"):
        await job.result(timeout=30)
    status = await job.status()
    assert (status.status, status.attempt) == (JobState.FAILED, 1)
    (expiry,) = world.rows("select amount from billing.transactions where type = 'credit_expiration'")
    assert expiry["amount"] == -200


async def test_buckets_are_counted_and_the_one_that_fails_is_a_detail(app: JobApp, world: World) -> None:
    now, service = datetime.now(UTC).date(), world.add_service()
    usages = [
        world.add("bucket_usage", client_id=world.client, contract_line_id=world.add_line(service), service_id=service,
                  period_start=now - timedelta(days=3), period_end=now + timedelta(days=3))
        for _ in range(2)
    ]  # fmt: skip
    world.add("bucket_configurations", contract_line_id=usages[0]["contract_line_id"], total_minutes=60,
              overage_rate="9000")  # fmt: skip
    world.add_time(service, now, 75)
    world.add_usage(service, now, "0.5")
    job = await reconcile_bucket_usage.enqueue(app, ReconcileBucketUsage(tenant_id=world.tenant))
    assert await job.result(timeout=30) == {"totalRecords": 2, "changedCount": 1, "errorCount": 1}
    rows = {row["usage_id"]: row for row in world.rows("select * from billing.bucket_usage")}
    counted, failed = (rows[usage["usage_id"]] for usage in usages)
    assert [str(counted[name]) for name in ("minutes_used", "overage_minutes")] == ["75.500000", "15.500000"]
    assert failed["minutes_used"] == 0
    (detail,) = await app.details(world.tenant, job.job_id)
    assert (detail.step_name, detail.status) == (f"Bucket usage {failed['usage_id']}", "failed")
