"""G18 and G20 on a real PostgreSQL: what is too old goes, in batches, and nothing else, whatever is killed when."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from pydantic import ValidationError

from builtin_handlers.context import AttemptContext
from builtin_handlers.killing import die, killed
from builtin_handlers.world import World
from jobcore import SYSTEM_TENANT
from jobcore.app.facade import JobApp
from jobcore.errors import JobFailedError, StorageUnavailableError
from jobcore.testing.apps import quiet_settings
from jobcore_handlers.retention.handlers import audit_retention, notifs_cleanup
from jobcore_handlers.retention.payload import AuditRetention, NotificationCleanup
from jobcore_handlers.tenancy import SystemDatabase, TenantJobs, TenantsFailedError

OpenApp = Callable[..., AbstractAsyncContextManager[JobApp]]

AUDIT = AuditRetention(tenant_id="system", batch=7)
NOTIFICATIONS = NotificationCleanup(tenant_id="system", batch=7)


def add_logs(world: World, tenant: UUID, *ages: int) -> None:
    """Add an audit log for each age, in days."""
    for age in ages:
        world.execute(
            "insert into billing.audit_logs (tenant, user_id, operation, table_name, details, occurred_at) "
            "values (%s, %s, 'x', 'y', jsonb_build_object('age', %s::int), now() - make_interval(days => %s))",
            tenant, world.user, age, age,
        )  # fmt: skip


def add_notifications(world: World, tenant: UUID, *ages: int) -> None:
    for age in ages:
        world.execute(
            "insert into billing.notifications (tenant, user_id, title, created_at) "
            "values (%s, %s, 'An invoice is due', now() - make_interval(days => %s))",
            tenant, world.user, age,
        )  # fmt: skip


def refuse_deletes(world: World, table: str, tenant: UUID) -> None:
    world.execute(
        "create function refuse() returns trigger language plpgsql as $$ begin "
        f"if old.tenant = '{tenant}' then raise check_violation using message = 'secret of ' || old.user_id; end if; "
        "return old; end $$"
    )
    world.execute(f"create trigger refuse before delete on billing.{table} for each row execute function refuse()")


def ages(world: World, table: str, tenant: UUID) -> Counter[int]:
    rows = world.rows(f"select (details ->> 'age')::int as age from billing.{table} where tenant = %s", tenant)
    return Counter(row["age"] for row in rows)


@pytest.fixture
async def system(billing_dsn: str) -> AsyncGenerator[Callable[[], AttemptContext]]:
    """Make the context of a job of the system, on an open application."""
    async with JobApp(quiet_settings(runner="pgboss", database={"url": billing_dsn})) as app:

        def make() -> AttemptContext:
            context = AttemptContext(billing_dsn, SYSTEM_TENANT)
            for kind in (SystemDatabase, TenantJobs):
                context.services.add(app.services.get(kind), kind)
            return context

        yield make


def test_the_handlers_have_the_names_of_the_catalogue() -> None:
    assert (audit_retention.name, notifs_cleanup.name) == ("audit.retention", "notifs.cleanup")
    assert audit_retention.retry.max_attempts == notifs_cleanup.retry.max_attempts == 3
    audit, told = AuditRetention(), NotificationCleanup()
    assert (audit.archive_after_days, audit.purge_after_days) == (365, 2555)
    assert told.keep_days == told.keep_mails_days == told.keep_webhooks_days == 90


@pytest.mark.parametrize(
    ("model", "values", "problem"),
    [
        (AuditRetention, {"tenantId": str(uuid4())}, "no tenant decides how long"),
        (NotificationCleanup, {"tenantId": str(uuid4())}, "no tenant decides how long"),
        (AuditRetention, {"archiveAfterDays": 100, "purgeAfterDays": 99}, "nothing is purged unarchived"),
        (NotificationCleanup, {"keepDays": 0}, "greater than or equal to 1"),
        (NotificationCleanup, {"keepMailsDays": 0}, "greater than or equal to 1"),
        (NotificationCleanup, {"keepWebhooksDays": 36_501}, "less than or equal to 36500"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_payload(model: Any, values: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        model.model_validate(values)


async def test_audit_logs_are_archived_after_a_year_and_purged_after_seven(
    world: World, system: Callable[[], AttemptContext]
) -> None:
    stranger = world.add_tenant()
    add_logs(world, world.tenant, 0, 364, 366, 366, 1000, 2554, 2556, 4000)
    add_logs(world, stranger, 400, *[3000] * 20)
    before = {row["audit_id"]: row for row in world.rows("select * from billing.audit_logs")}
    context = system()
    assert await audit_retention(context, AUDIT) == {"archived": 27, "purged": 22}
    assert ages(world, "audit_logs", world.tenant) == Counter([0, 364])
    assert ages(world, "audit_log_archive", world.tenant) == Counter([366, 366, 1000, 2554])
    assert ages(world, "audit_logs", stranger) == Counter()
    assert ages(world, "audit_log_archive", stranger) == Counter([400])
    for row in world.rows("select * from billing.audit_log_archive"):
        assert row.pop("archived_at") is not None
        assert row == before[row["audit_id"]]
    assert context.progress_reports[-1] == 100


async def test_a_second_run_changes_nothing(world: World, system: Callable[[], AttemptContext]) -> None:
    add_logs(world, world.tenant, *range(360, 380))
    await audit_retention(system(), AUDIT)
    before = world.rows("select * from billing.audit_log_archive order by audit_id")
    assert await audit_retention(system(), AUDIT) == {"archived": 0, "purged": 0}
    assert world.rows("select * from billing.audit_log_archive order by audit_id") == before


def add_told(world: World, tenant: UUID, *ages: int) -> None:
    """Add for each age a mail of each status, and an attempt and a notice of one webhook subscription."""
    (subscription,) = world.rows(
        "insert into billing.webhook_subscriptions (tenant, url, resource) values (%s, 'https://x.example', 'invoice') "
        "returning subscription_id",
        tenant,
    )
    for age in ages:
        world.execute(
            "insert into billing.mail_outbox (tenant, mail_id, to_address, subject, text_body, status, sent_at, claim, "
            "created_at) select %s, gen_random_uuid(), 'a@x.example', 'x', 'y', s, case s when 'sent' then now() end, "
            "case s when 'sending' then gen_random_uuid() end, now() - make_interval(days => %s) "
            "from unnest(array['pending', 'sending', 'sent', 'dead']) as s",
            tenant, age,
        )  # fmt: skip
        whose = (tenant, subscription["subscription_id"], age)
        world.execute(
            "insert into billing.webhook_events (tenant, subscription_id, job_id, message_id, attempt, action, "
            "resource_id, sent_at) select %s, %s, id, id, 1, 'update', 'x', now() - make_interval(days => %s) "
            "from gen_random_uuid() as id",
            *whose,
        )
        world.execute(
            "insert into billing.webhook_notices (tenant, subscription_id, created_at, kind) "
            "values (%s, %s, now() - make_interval(days => %s), 'enabled')",
            *whose,
        )


def told(world: World, tenant: UUID) -> dict[str, Counter[tuple[str, int]]]:
    """Return what is left of it: status and age in days, by table."""
    columns = {"mail_outbox": "status, created_at", "webhook_events": "action, sent_at",
               "webhook_notices": "kind, created_at"}  # fmt: skip
    return {
        table: Counter(
            (row["what"], row["age"])
            for row in world.rows(
                f"select what, date_part('day', now() - at)::int as age from (select {names} from billing.{table} "
                "where tenant = %s) as t (what, at)",
                tenant,
            )
        )
        for table, names in columns.items()
    }


async def test_mails_and_the_record_of_webhooks_go_after_their_days_and_what_is_under_way_stays(
    world: World, system: Callable[[], AttemptContext]
) -> None:
    stranger = world.add_tenant()
    add_told(world, world.tenant, 1, 59, 61, 99, *[101] * 9)
    add_told(world, stranger, 400)
    wanted = NotificationCleanup(tenant_id="system", batch=7, keep_mails_days=60, keep_webhooks_days=100)
    deleted = {"notifications": 0, "mails": 2 * 11 + 2, "webhookEvents": 10, "webhookNotices": 10}
    assert await notifs_cleanup(system(), wanted) == deleted
    under_way = {(status, age): n for status in ("pending", "sending") for age, n in Counter(
        [1, 59, 61, 99, *[101] * 9]).items()}  # fmt: skip
    assert told(world, world.tenant) == {
        "mail_outbox": Counter(under_way | {(status, age): 1 for status in ("sent", "dead") for age in (1, 59)}),
        "webhook_events": Counter({("update", age): 1 for age in (1, 59, 61, 99)}),
        "webhook_notices": Counter({("enabled", age): 1 for age in (1, 59, 61, 99)}),
    }
    assert told(world, stranger)["mail_outbox"] == Counter({("pending", 400): 1, ("sending", 400): 1})
    assert world.rows("select from billing.webhook_subscriptions") == [{}, {}]


async def test_notifications_go_after_ninety_days(world: World, system: Callable[[], AttemptContext]) -> None:
    stranger = world.add_tenant()
    add_notifications(world, world.tenant, 0, 89, 91, 500)
    add_notifications(world, stranger, *[100] * 22, 1)
    assert (await notifs_cleanup(system(), NOTIFICATIONS))["notifications"] == 24
    left = world.rows("select tenant, date_part('day', now() - created_at)::int as age from billing.notifications")
    assert {(row["tenant"], row["age"]) for row in left} == {(world.tenant, 0), (world.tenant, 89), (stranger, 1)}


async def test_two_runs_at_once_take_each_row_once(world: World, system: Callable[[], AttemptContext]) -> None:
    add_logs(world, world.tenant, *[400] * 60)
    results = await asyncio.gather(*(audit_retention(system(), AUDIT) for _ in range(3)))
    await audit_retention(system(), AUDIT)  # a run passes over what another one holds
    assert ages(world, "audit_log_archive", world.tenant) == Counter({400: 60})
    assert ages(world, "audit_logs", world.tenant) == Counter()
    assert sum(result["archived"] for result in results) <= 60


async def test_a_tenant_that_fails_is_told_and_holds_up_no_other(
    world: World, system: Callable[[], AttemptContext], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    broken = world.add_tenant()
    add_logs(world, broken, 400)
    add_logs(world, world.tenant, 400)
    refuse_deletes(world, "audit_logs", broken)
    context = system()
    with pytest.raises(TenantsFailedError, match="1 of 2 tenants"):
        await audit_retention(context, AUDIT)
    assert ages(world, "audit_log_archive", world.tenant) == Counter([400])
    assert ages(world, "audit_logs", broken) == Counter([400])
    assert context.details == {f"Tenant {broken}": [("failed", {"error": "CheckViolation (23514)"})]}
    assert "secret" not in caplog.text
    assert str(broken) in caplog.text


def test_a_tenant_can_read_its_archive_and_change_nothing_in_it(world: World) -> None:
    world.execute("insert into billing.audit_log_archive (tenant, user_id, operation, table_name) "
                  "values (%s, %s, 'x', 'y')", world.tenant, world.user)  # fmt: skip
    with psycopg.connect(world.dsn) as connection:
        connection.execute("set role jobcore_tenant")
        connection.execute("select set_config('jobcore.tenant', %s, false)", (str(world.tenant),))
        assert connection.execute("select from billing.audit_log_archive").rowcount == 1
        for change in ("update billing.audit_log_archive set operation = 'z'", "delete from billing.audit_log_archive"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(change)


class KilledAfterTwoBatches(SystemDatabase):
    commits = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Any]:
        async with super().transaction() as connection:
            yield connection
        self.commits += 1
        if self.commits == 2:
            die()


class KilledWithinABatch(SystemDatabase):
    begun = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Any]:
        async with super().transaction() as connection:
            yield connection
            self.begun += 1
            if self.begun == 2:
                die()


def archive_and_be_killed(dsn: str, kind: type[SystemDatabase]) -> None:
    async def attempt() -> None:
        async with JobApp(quiet_settings(runner="pgboss", database={"url": dsn})) as app:
            context = AttemptContext(dsn, SYSTEM_TENANT)
            context.services.add(kind(app), SystemDatabase)
            context.services.add(TenantJobs(app), TenantJobs)
            await audit_retention(context, AUDIT)

    asyncio.run(attempt())


@pytest.mark.parametrize(("kind", "archived"), [(KilledAfterTwoBatches, 14), (KilledWithinABatch, 7)])
async def test_a_kill_leaves_each_row_in_one_place_and_the_next_run_goes_on(
    world: World, system: Callable[[], AttemptContext], billing_dsn: str, kind: type[SystemDatabase], archived: int
) -> None:
    logs = [366 + n for n in range(30)]
    add_logs(world, world.tenant, *logs)
    await killed(archive_and_be_killed, billing_dsn, kind)
    assert ages(world, "audit_log_archive", world.tenant).total() == archived
    assert ages(world, "audit_logs", world.tenant) + ages(world, "audit_log_archive", world.tenant) == Counter(logs)

    assert (await audit_retention(system(), AUDIT))["archived"] == 30 - archived
    assert ages(world, "audit_log_archive", world.tenant) == Counter(logs)


async def test_a_database_that_is_away_fails_the_run_at_once(billing_dsn: str) -> None:
    app = JobApp(quiet_settings(runner="pgboss", database={"url": billing_dsn}))
    context = AttemptContext(billing_dsn, SYSTEM_TENANT)
    context.services.add(SystemDatabase(app), SystemDatabase)
    context.services.add(TenantJobs(app), TenantJobs)
    with pytest.raises(StorageUnavailableError):
        await notifs_cleanup(context, NOTIFICATIONS)


async def test_the_retention_jobs_run_on_an_engine(open_app: OpenApp, world: World) -> None:
    add_logs(world, world.tenant, 1, 400, 3000)
    add_notifications(world, world.tenant, 1, 91)
    async with open_app() as app:
        audit = await audit_retention.enqueue(app, AuditRetention(tenant_id="system"))
        cleanup = await notifs_cleanup.enqueue(app, NotificationCleanup(tenant_id="system"))
        assert await audit.result(timeout=60) == {"archived": 2, "purged": 1}
        expected = {"notifications": 1, "mails": 0, "webhookEvents": 0, "webhookNotices": 0}
        assert await cleanup.result(timeout=60) == expected
        refuse_deletes(world, "notifications", world.tenant)
        add_notifications(world, world.tenant, 91)
        failing = await notifs_cleanup.enqueue(app, NotificationCleanup(tenant_id="system"), max_attempts=1)
        with pytest.raises(JobFailedError, match="1 of 1 tenants"):
            await failing.result(timeout=60)
        details = {detail.step_name: detail for detail in await app.details("system", failing.job_id)}
        assert details[f"Tenant {world.tenant}"].result == {"error": "CheckViolation (23514)"}
        assert "secret" not in str(details) + str(await app.get_job("system", failing.job_id))
