"""The default schedules: those of the catalogue, made when asked for, and never over what somebody changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from builtin_handlers.world import World
from jobcore import SYSTEM_TENANT, JobContext, job
from jobcore.app.facade import JobApp
from jobcore.errors import InputError
from jobcore.models import Overlap, Quota
from jobcore.policies.intervals import parse_schedule
from jobcore.settings import Edition
from jobcore.testing.apps import quiet_settings
from jobcore_handlers.schedules import DEFAULT_SCHEDULES, Outcome, Whose, register_default_schedules

CATALOGUE = {
    "expired-credits": ("0 1 * * *", "each tenant", "community"),
    "expiring-credits-notification": ("0 9 * * *", "each tenant", "community"),
    "credit-reconciliation": ("0 2 * * *", "each tenant", "community"),
    "reconcile-bucket-usage": ("0 3 * * *", "each tenant", "community"),
    "cleanup-temporary-workflow-forms": ("0 2 * * *", "system", "community"),
    "renew-microsoft-calendar-webhooks": ("*/30 * * * *", "each tenant", "community"),
    "verify-google-calendar-pubsub": ("15 * * * *", "each tenant", "community"),
    "cleanup-ai-session-keys": ("*/10 * * * *", "system", "enterprise"),
    "createClientContractLineCycles": ("24 hours", "system", "community"),
    "createNextTimePeriods": ("24 hours", "each tenant", "community"),
    "audit.retention": ("0 3 * * *", "system", "community"),
    "email.process-queue": ("30 seconds", "system", "community"),
    "notifs.cleanup": ("1 hour", "system", "community"),
}


@pytest.fixture
async def app(billing_dsn: str) -> AsyncIterator[JobApp]:
    async with JobApp(quiet_settings(runner="pgboss", database={"url": billing_dsn})) as app:
        yield app


def outcomes(done: Any) -> dict[str, Outcome]:
    return {one.schedule.handler: one.outcome for one in done}


def test_the_table_is_that_of_the_catalogue() -> None:
    assert {line.handler: (line.when, line.whose, line.edition) for line in DEFAULT_SCHEDULES} == CATALOGUE
    for line in DEFAULT_SCHEDULES:
        parse_schedule(line.when)


def test_every_name_of_the_table_is_a_handler_of_the_pack() -> None:
    app = JobApp(quiet_settings(edition="enterprise", runner="pgboss", database={"url": "postgresql://nowhere"}))
    lacking = {line.handler for line in DEFAULT_SCHEDULES if not app.registry.has(line.handler)}
    assert lacking == set()


async def test_a_tenants_schedules_are_made(app: JobApp, world: World) -> None:
    done = await register_default_schedules(app, tenant=world.tenant)
    assert set(outcomes(done)) == {name for name, (_, whose, _) in CATALOGUE.items() if whose == "each tenant"}
    added = {name for name, outcome in outcomes(done).items() if outcome is Outcome.ADDED}
    assert added == {name for name in outcomes(done) if app.registry.has(name)}
    made = {schedule.key: schedule for schedule in await app.schedules.list(world.tenant)}
    assert set(made) == added
    periods = made["createNextTimePeriods"]
    assert (periods.interval, periods.overlap, periods.enabled) == (timedelta(hours=24), Overlap.SKIP, True)
    assert json.loads(periods.payload)["tenantId"] == str(world.tenant)


async def test_schedules_whose_handler_is_not_there_are_named_and_not_made(billing_dsn: str) -> None:
    bare = quiet_settings(runner="pgboss", database={"url": billing_dsn}, plugins={"block": ["builtin"]})
    async with JobApp(bare) as app:
        done = await register_default_schedules(app, tenant="system")
        assert await app.schedules.list() == []
    assert outcomes(done).pop("cleanup-ai-session-keys") is Outcome.OTHER_EDITION
    assert set(outcomes(done).values()) == {Outcome.NO_HANDLER, Outcome.OTHER_EDITION}
    assert set(outcomes(done)) == {name for name, (_, whose, _) in CATALOGUE.items() if whose == "system"}


async def test_the_systems_schedules_are_made_for_the_system(app: JobApp) -> None:
    done = await register_default_schedules(app, tenant="system")
    assert {one.tenant for one in done} == {SYSTEM_TENANT}
    assert outcomes(done)["createClientContractLineCycles"] is Outcome.ADDED
    assert outcomes(done)["cleanup-ai-session-keys"] is Outcome.OTHER_EDITION
    (cycles,) = [one for one in await app.schedules.list("system") if one.key == "createClientContractLineCycles"]
    assert cycles.handler == cycles.key


async def test_what_belongs_to_the_enterprise_edition_is_made_there(billing_dsn: str) -> None:
    @job("cleanup-ai-session-keys", edition="enterprise")
    async def cleanup(ctx: JobContext, data: dict[str, Any]) -> None: ...

    settings: dict[str, Any] = {"runner": "pgboss", "database": {"url": billing_dsn}, "edition": "enterprise"}
    prefer = {"handler:cleanup-ai-session-keys": "application"}
    async with JobApp(quiet_settings(**settings, plugins={"prefer": prefer}), handlers=[cleanup]) as app:
        assert app.settings.edition is Edition.ENTERPRISE
        done = await register_default_schedules(app, tenant="system")
    assert outcomes(done)["cleanup-ai-session-keys"] is Outcome.ADDED


async def test_a_second_call_changes_nothing_that_somebody_changed(app: JobApp, world: World) -> None:
    await register_default_schedules(app)
    key = "createNextTimePeriods"
    await app.schedules.put(key, key, "6 hours", tenant=world.tenant, max_attempts=7)
    await app.schedules.pause(world.tenant, key)
    before = await app.schedules.list()
    again = await register_default_schedules(app)
    assert await app.schedules.list() == before
    assert outcomes(again)[key] is Outcome.KEPT
    assert Outcome.ADDED not in outcomes(again).values()


async def test_all_tenants_and_the_system_get_theirs(app: JobApp, world: World) -> None:
    stranger = world.add_tenant()
    reported: list[tuple[int, int]] = []
    done = await register_default_schedules(app, tell=lambda count, total: reported.append((count, total)))
    whose = Counter(line.whose for line in DEFAULT_SCHEDULES)
    expected = {world.tenant: whose[Whose.EACH_TENANT], stranger: whose[Whose.EACH_TENANT],
                SYSTEM_TENANT: whose[Whose.SYSTEM]}  # fmt: skip
    assert Counter(one.tenant for one in done) == expected
    assert reported[-1] == (len(done), len(done))
    made = Counter(schedule.tenant for schedule in await app.schedules.list())
    assert set(made) == set(expected)


async def test_a_dry_run_makes_nothing(app: JobApp, world: World) -> None:
    done = await register_default_schedules(app, tenant=world.tenant, dry_run=True)
    assert outcomes(done)["createNextTimePeriods"] is Outcome.ADDED
    assert await app.schedules.list() == []


async def test_a_tenant_that_may_have_no_further_schedule_holds_up_no_other(app: JobApp, world: World) -> None:
    full = world.add_tenant()
    await app.set_quota(full, Quota(schedules=0))
    done = await register_default_schedules(app)
    of_full = {one.schedule.handler: one.outcome for one in done if one.tenant == full}
    assert of_full["createNextTimePeriods"] is Outcome.OVER_QUOTA
    assert {schedule.tenant for schedule in await app.schedules.list()} == {SYSTEM_TENANT, world.tenant}


async def test_an_unknown_tenant_is_refused(app: JobApp, world: World) -> None:
    with pytest.raises(InputError, match="There is no tenant"):
        await register_default_schedules(app, tenant=uuid4())
    assert await app.schedules.list() == []


class TestCommand:
    @pytest.fixture
    def jobcore(self, billing_dsn: str, tmp_path: Path) -> Any:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("JOBCORE_", "JOB_RUNNER"))}

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [str(Path(sys.executable).with_name("jobcore")), "billing", "schedules", *arguments],
                env={**kept, "DATABASE_URL": billing_dsn},
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )

        return run

    def test_it_makes_what_is_not_there_and_says_so(self, jobcore: Any, world: World) -> None:
        def keys() -> set[tuple[UUID, str]]:
            rows = world.rows("select tenant, job_id from cron_jobs")
            return {(row["tenant"], row["job_id"]) for row in rows}

        dry = jobcore("--all-tenants", "--dry-run", "--json")
        assert dry.returncode == 0, dry.stderr
        document = json.loads(dry.stdout)
        assert document["dry_run"] is True
        assert {one["key"] for one in document["schedules"]} == set(CATALOGUE)
        assert keys() == set()

        made = jobcore("--tenant", str(world.tenant))
        assert made.returncode == 0, made.stderr
        (line,) = [line.split() for line in made.stdout.splitlines() if line.startswith("createNextTimePeriods")]
        assert line == ["createNextTimePeriods", "24", "hours", "each", "tenant", "added", "1"]
        assert (world.tenant, "createNextTimePeriods") in keys()
        assert {tenant for tenant, _ in keys()} == {world.tenant}

    @pytest.mark.parametrize("arguments", [(), ("--tenant", "system", "--all-tenants")])
    def test_it_wants_to_know_whose(self, jobcore: Any, arguments: tuple[str, ...]) -> None:
        refused = jobcore(*arguments)
        assert refused.returncode == 2
        assert "Name whose schedules are meant" in refused.stderr
