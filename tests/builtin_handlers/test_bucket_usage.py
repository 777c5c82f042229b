"""J08 on a real PostgreSQL, as the tenant's own role."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builtin_handlers.context import AttemptContext
from builtin_handlers.world import World
from jobcore import SYSTEM_TENANT
from jobcore_handlers import errors
from jobcore_handlers.buckets.handler import reconcile_bucket_usage
from jobcore_handlers.buckets.payload import ReconcileBucketUsage
from jobcore_handlers.buckets.rules import consumption

Attempt = Callable[..., AttemptContext]

ALL = ReconcileBucketUsage()
MINUTES = st.integers(0, 10**12).map(lambda millionths: Decimal(millionths).scaleb(-6))


def today() -> date:
    return datetime.now(UTC).date()


class Bucket:
    """A contract line's bucket of a service, and its record for a period; by default one around today."""

    def __init__(self, world: World, total: int | None = 600, first: int = -10, last: int = 10, **record: Any) -> None:
        self.world = world
        self.service = record.pop("service_id", None) or world.add_service()
        self.line = world.add_line(self.service)
        if total is not None:
            world.add("bucket_configurations", contract_line_id=self.line, total_minutes=total, overage_rate="9000")
        row = {"client_id": world.client, "contract_line_id": self.line, "service_id": self.service,
               "period_start": today() + timedelta(days=first), "period_end": today() + timedelta(days=last),
               **record}  # fmt: skip
        self.usage: UUID = world.add("bucket_usage", **row)["usage_id"]

    def record(self) -> tuple[Decimal, Decimal]:
        (row,) = self.world.rows("select * from billing.bucket_usage where usage_id = %s", self.usage)
        return row["minutes_used"], row["overage_minutes"]

    def work(self, day: int, minutes: int, **row: Any) -> None:
        self.world.add_time(self.service, today() + timedelta(days=day), minutes, **row)

    def use(self, day: int, quantity: str) -> None:
        self.world.add_usage(self.service, today() + timedelta(days=day), quantity)


def test_the_handler_has_the_name_and_policies_of_the_catalogue() -> None:
    assert reconcile_bucket_usage.name == "reconcile-bucket-usage"
    assert reconcile_bucket_usage.retry.max_attempts == 3
    assert reconcile_bucket_usage.timeout == timedelta(minutes=10)


@given(MINUTES, MINUTES, MINUTES, MINUTES)
def test_overage_is_what_goes_beyond_the_bucket_and_what_was_rolled_over(
    time: Decimal, usage: Decimal, total: Decimal, rolled_over: Decimal
) -> None:
    counted = consumption(time=time, usage=usage, total=total, rolled_over=rolled_over)
    assert counted.used == time + usage
    assert counted.overage >= 0
    assert (counted.overage == 0) is (counted.used <= total + rolled_over)
    assert min(counted.used, total + rolled_over) + counted.overage == counted.used


async def test_time_and_use_within_the_period_are_counted_with_both_its_ends(world: World, attempt: Attempt) -> None:
    bucket = Bucket(world)
    bucket.work(-10, 61)
    bucket.work(10, 100)
    bucket.use(0, "30.25")
    for outside in (-11, 11):
        bucket.work(outside, 1000)
        bucket.use(outside, "1000")
    result = await reconcile_bucket_usage(attempt(world.tenant), ALL)
    assert bucket.record() == (Decimal("191.25"), 0)
    assert result == {"totalRecords": 1, "changedCount": 1, "errorCount": 0}


async def test_what_goes_beyond_the_bucket_and_what_rolled_over_is_overage(world: World, attempt: Attempt) -> None:
    over, within = Bucket(world, 600, rolled_over_minutes=60), Bucket(world, 600, rolled_over_minutes=60)
    over.work(0, 700)
    within.work(0, 660)
    await reconcile_bucket_usage(attempt(world.tenant), ALL)
    assert over.record() == (700, 40)
    assert within.record() == (660, 0)


async def test_only_billable_work_of_the_client_and_the_service_counts(world: World, attempt: Attempt) -> None:
    bucket = Bucket(world)
    bucket.work(0, 60, status="draft")
    bucket.work(0, 1000, is_billable=False)
    bucket.work(0, 1000, client_id=world.add_client())
    world.add_time(world.add_service(), today(), 1000)
    await reconcile_bucket_usage(attempt(world.tenant), ALL)
    assert bucket.record() == (60, 0)


async def test_work_of_one_contract_line_is_not_taken_from_anothers_bucket(world: World, attempt: Attempt) -> None:
    bucket = Bucket(world)
    other = Bucket(world, service_id=bucket.service)
    bucket.work(0, 50, contract_line_id=bucket.line)
    bucket.work(0, 7)
    await reconcile_bucket_usage(attempt(world.tenant), ALL)
    assert (bucket.record()[0], other.record()[0]) == (57, 7)


@pytest.mark.parametrize(
    ("first", "last", "is_current"),
    [(0, 5, True), (-5, 0, True), (1, 5, False), (-5, -1, True), (-5, -2, True), (-5, -3, False)],
)
async def test_periods_that_today_is_in_or_that_have_just_ended_are_counted(
    world: World, attempt: Attempt, first: int, last: int, is_current: bool
) -> None:
    bucket = Bucket(world, first=first, last=last)
    bucket.work(last, 30)
    result = await reconcile_bucket_usage(attempt(world.tenant), ALL)
    assert result["totalRecords"] == int(is_current)
    assert bucket.record()[0] == (30 if is_current else 0)


async def test_a_second_run_changes_nothing(world: World, attempt: Attempt) -> None:
    bucket = Bucket(world)
    bucket.work(0, 700)
    await asyncio.gather(*(reconcile_bucket_usage(attempt(world.tenant), ALL) for _ in range(3)))
    before = world.rows("select * from billing.bucket_usage")
    assert (await reconcile_bucket_usage(attempt(world.tenant), ALL))["changedCount"] == 0
    assert world.rows("select * from billing.bucket_usage") == before
    assert bucket.record() == (700, 100)


async def test_a_record_that_was_wrong_is_put_right(world: World, attempt: Attempt) -> None:
    bucket = Bucket(world, minutes_used=5000, overage_minutes=4400)
    bucket.work(0, 30)
    await reconcile_bucket_usage(attempt(world.tenant), ALL)
    assert bucket.record() == (30, 0)


async def test_a_record_that_fails_is_counted_and_recorded_and_the_others_go_on(
    world: World, attempt: Attempt, caplog: pytest.LogCaptureFixture
) -> None:
    bare, refused, *fine = Bucket(world, None), Bucket(world, 1), Bucket(world), Bucket(world)
    for bucket in (bare, refused, *fine):
        bucket.work(0, 90, note="call Secret Person")
    world.execute("alter table billing.bucket_usage add constraint none check (overage_minutes <> 89)")
    context = attempt(world.tenant)
    with caplog.at_level(logging.INFO, "jobcore.test"):
        result = await reconcile_bucket_usage(context, ALL)
    assert result == {"totalRecords": 4, "changedCount": 2, "errorCount": 2}
    assert [bucket.record() for bucket in fine] == [(90, 0), (90, 0)]
    assert [bucket.record() for bucket in (bare, refused)] == [(0, 0), (0, 0)]
    kept = context.details
    assert set(kept) == {f"Bucket usage {bucket.usage}" for bucket in (bare, refused)}
    ((status, reason),) = kept[f"Bucket usage {bare.usage}"]
    assert (status, str(bare.line) in reason["error"]) == ("failed", True)
    assert "has no bucket configuration" in reason["error"]
    ((status, reason),) = kept[f"Bucket usage {refused.usage}"]
    assert (status, reason["error"]) == ("failed", "CheckViolation (23514)")
    assert "Failing row" not in str(kept) + caplog.text
    assert "Secret" not in str(kept) + caplog.text
    assert context.progress_reports == [25, 50, 75, 100]


async def test_the_job_succeeds_even_if_every_record_failed(world: World, attempt: Attempt) -> None:
    Bucket(world, None)
    result = await reconcile_bucket_usage(attempt(world.tenant), ALL)
    assert result == {"totalRecords": 1, "changedCount": 0, "errorCount": 1}


async def test_another_tenants_buckets_are_left_alone(world: World, attempt: Attempt) -> None:
    bucket = Bucket(world)
    bucket.work(0, 30)
    assert (await reconcile_bucket_usage(attempt(world.add_tenant()), ALL))["totalRecords"] == 0
    assert bucket.record() == (0, 0)


async def test_an_error_of_the_whole_run_is_raised(world: World, attempt: Attempt) -> None:
    world.execute("alter table billing.bucket_usage rename to elsewhere")
    with pytest.raises(psycopg.errors.UndefinedTable, match="bucket_usage"):
        await reconcile_bucket_usage(attempt(world.tenant), ALL)


async def test_without_a_tenant_there_is_nothing_to_count(world: World, attempt: Attempt) -> None:
    with pytest.raises(errors.TenantRequiredError, match="^Tenant ID is required for bucket usage reconciliation job$"):
        await reconcile_bucket_usage(attempt(SYSTEM_TENANT, job_id=uuid4()), ALL)
