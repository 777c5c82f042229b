"""J09 and J12: what has served its time goes, in one tenant or in all of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from builtin_handlers.context import AttemptContext
from builtin_handlers.world import World
from jobcore import SYSTEM_TENANT
from jobcore.app.facade import JobApp
from jobcore.errors import JobFailedError
from jobcore.handlers.definition import DEFAULT_TIMEOUT
from jobcore.testing.apps import quiet_settings
from jobcore_handlers.forms.handler import cleanup_temporary_workflow_forms
from jobcore_handlers.forms.payload import CleanupTemporaryWorkflowForms
from jobcore_handlers.sessions.handler import cleanup_ai_session_keys
from jobcore_handlers.sessions.payload import CleanupAiSessionKeys
from jobcore_handlers.tenancy import TenantsFailedError

Attempt = Callable[..., AttemptContext]
OpenApp = Callable[..., AbstractAsyncContextManager[JobApp]]

SESSIONS = CleanupAiSessionKeys(tenant_id="system")
FORMS = CleanupTemporaryWorkflowForms(tenant_id="system")


@pytest.fixture
def stranger(world: World) -> UUID:
    return world.add_tenant()


def add_key(world: World, tenant: UUID, minutes: int | None, **row: Any) -> UUID:
    """A session key that expires in so many minutes."""
    values = {"tenant": tenant, "api_key_id": uuid4(), "purpose": "ai_session", "key_hash": uuid4().hex, **row}
    key = world.add("api_keys", **values)["api_key_id"]
    world.execute("update billing.api_keys set expires_at = now() + make_interval(mins => %s) where api_key_id = %s",
                  minutes, key)  # fmt: skip
    return key


def revoked(world: World) -> set[UUID]:
    return {row["api_key_id"] for row in world.rows("select api_key_id from billing.api_keys where not active")}


def add_form(world: World, tenant: UUID, *, is_temporary: bool, children: int = 2) -> UUID:
    form = world.add("workflow_form_definitions", tenant=tenant, form_id=uuid4(), name="Approve",
                     is_temporary=is_temporary)["form_id"]  # fmt: skip
    for _ in range(children):
        world.add("workflow_form_schemas", tenant=tenant, form_id=form)
        world.add("workflow_task_definitions", tenant=tenant, form_id=form, name="Sign")
    return form


def forms(world: World) -> dict[UUID, tuple[int, int]]:
    """The forms that are left, each with how many schemas and tasks it has."""
    rows = world.rows(
        "select form_id, (select count(*) from billing.workflow_form_schemas s where s.form_id = f.form_id) as schemas,"
        " (select count(*) from billing.workflow_task_definitions t where t.form_id = f.form_id) as tasks"
        " from billing.workflow_form_definitions f"
    )
    return {row["form_id"]: (row["schemas"], row["tasks"]) for row in rows}


def break_tenant(world: World, table: str, event: str, tenant: UUID) -> None:
    """Make every change of this tenant's rows fail, with a message that quotes a row."""
    world.execute(
        f"create function refuse() returns trigger language plpgsql as "
        f"$$ begin raise exception 'row of sally@example.com'; end $$;"
        f"create trigger refuse before {event} on billing.{table} for each row "
        f"when (old.tenant = '{tenant}') execute function refuse()"
    )


@pytest.mark.parametrize(
    ("handler", "name", "edition"),
    [
        (cleanup_ai_session_keys, "cleanup-ai-session-keys", "enterprise"),
        (cleanup_temporary_workflow_forms, "cleanup-temporary-workflow-forms", "community"),
    ],
)
def test_the_handler_has_the_name_and_policies_of_the_catalogue(handler: Any, name: str, edition: str) -> None:
    assert (handler.name, handler.edition) == (name, edition)
    assert (handler.retry.max_attempts, handler.timeout) == (2, DEFAULT_TIMEOUT)


class TestSessionKeys:
    async def test_the_system_revokes_the_expired_session_keys_of_all_tenants(
        self, world: World, stranger: UUID, attempt: Attempt
    ) -> None:
        expired = {add_key(world, world.tenant, -1, metadata="{}"), add_key(world, stranger, -30)}
        add_key(world, world.tenant, 5)
        add_key(world, world.tenant, None)
        add_key(world, world.tenant, -1, purpose="general")

        assert await cleanup_ai_session_keys(attempt(SYSTEM_TENANT), SESSIONS) == {"revokedCount": 2, "tenantCount": 2}
        assert revoked(world) == expired

    async def test_the_reason_is_added_to_what_the_key_says_of_itself(self, world: World, attempt: Attempt) -> None:
        key = add_key(world, world.tenant, -1, metadata='{"session": "s1"}')
        await cleanup_ai_session_keys(attempt(SYSTEM_TENANT), SESSIONS)
        (row,) = world.rows(
            "select metadata, metadata->>'revoked_at' as at, now() as now from billing.api_keys where api_key_id = %s",
            key,
        )
        assert row["metadata"] == {"session": "s1", "revoked_reason": "expired", "revoked_at": row["at"]}
        assert world.rows("select abs(extract(epoch from now() - %s::timestamptz)) < 60 as soon", row["at"]) == [
            {"soon": True}
        ]

    async def test_a_second_run_changes_nothing(self, world: World, attempt: Attempt) -> None:
        add_key(world, world.tenant, -1)
        await cleanup_ai_session_keys(attempt(SYSTEM_TENANT), SESSIONS)
        before = world.rows("select * from billing.api_keys")
        again = await cleanup_ai_session_keys(attempt(SYSTEM_TENANT), SESSIONS)
        assert (again["revokedCount"], world.rows("select * from billing.api_keys")) == (0, before)

    async def test_a_tenants_own_run_leaves_the_others_alone(
        self, world: World, stranger: UUID, attempt: Attempt
    ) -> None:
        own = add_key(world, world.tenant, -1)
        add_key(world, stranger, -1)
        data = CleanupAiSessionKeys(tenant_id=world.tenant, trigger="manual")
        assert await cleanup_ai_session_keys(attempt(world.tenant), data) == {"revokedCount": 1, "tenantCount": 1}
        assert revoked(world) == {own}

    async def test_a_tenant_that_fails_keeps_nobody_from_being_served_and_fails_the_job(
        self, world: World, stranger: UUID, attempt: Attempt, caplog: pytest.LogCaptureFixture
    ) -> None:
        served = add_key(world, world.tenant, -1)
        add_key(world, stranger, -1)
        break_tenant(world, "api_keys", "update", stranger)
        ctx = attempt(SYSTEM_TENANT)
        with caplog.at_level(logging.DEBUG), pytest.raises(TenantsFailedError, match="failed for 1 of 2 tenants"):
            await cleanup_ai_session_keys(ctx, SESSIONS)
        assert revoked(world) == {served}
        assert ctx.details == {
            f"Tenant {stranger}": [("failed", {"error": "RaiseException (P0001)"})],
        }
        assert str(stranger) in caplog.text
        assert "sally@example.com" not in caplog.text

    @pytest.mark.parametrize(("edition", "has"), [("community", False), ("enterprise", True)])
    def test_only_the_enterprise_edition_has_the_handler(self, edition: str, has: bool) -> None:
        app = JobApp(quiet_settings(edition=edition, storage="memory", runner="memory"))
        assert ("cleanup-ai-session-keys" in app.registry) is has

    async def test_on_an_engine_it_revokes(self, world: World, open_app: OpenApp) -> None:
        add_key(world, world.tenant, -1)
        async with open_app(settings={"edition": "enterprise"}) as app:
            job = await app.enqueue("cleanup-ai-session-keys", SESSIONS)
            assert await job.result(timeout=30) == {"revokedCount": 1, "tenantCount": 1}
        assert len(revoked(world)) == 1


class TestTemporaryForms:
    async def test_the_system_deletes_the_temporary_forms_of_all_tenants(
        self, world: World, stranger: UUID, attempt: Attempt
    ) -> None:
        kept = {add_form(world, world.tenant, is_temporary=False), add_form(world, stranger, is_temporary=False)}
        for tenant in (world.tenant, world.tenant, stranger):
            add_form(world, tenant, is_temporary=True)
        add_form(world, stranger, is_temporary=True, children=0)

        result = await cleanup_temporary_workflow_forms(attempt(SYSTEM_TENANT), FORMS)
        assert result == {"success": True, "deletedCount": 4}
        assert forms(world) == dict.fromkeys(kept, (2, 2))
        assert len(world.rows("select from billing.workflow_form_schemas")) == 4
        assert await cleanup_temporary_workflow_forms(attempt(SYSTEM_TENANT), FORMS) == {
            "success": True,
            "deletedCount": 0,
        }

    async def test_a_tenants_own_run_leaves_the_others_alone(
        self, world: World, stranger: UUID, attempt: Attempt
    ) -> None:
        add_form(world, world.tenant, is_temporary=True)
        theirs = add_form(world, stranger, is_temporary=True)
        data = CleanupTemporaryWorkflowForms(tenant_id=world.tenant)
        assert (await cleanup_temporary_workflow_forms(attempt(world.tenant), data))["deletedCount"] == 1
        assert set(forms(world)) == {theirs}

    async def test_a_form_that_cannot_be_deleted_stays_whole_and_fails_the_job_by_name(
        self, world: World, stranger: UUID, attempt: Attempt
    ) -> None:
        broken = add_form(world, world.tenant, is_temporary=True)
        add_form(world, stranger, is_temporary=True)
        break_tenant(world, "workflow_form_definitions", "delete", world.tenant)
        ctx = attempt(SYSTEM_TENANT)
        with pytest.raises(TenantsFailedError, match="failed for 1 of 2 tenants"):
            await cleanup_temporary_workflow_forms(ctx, FORMS)
        assert forms(world) == {broken: (2, 2)}
        assert set(ctx.details) == {f"Tenant {world.tenant}"}

    async def test_on_an_engine_it_deletes_and_its_failure_is_retried_and_recorded(
        self, world: World, open_app: OpenApp
    ) -> None:
        add_form(world, world.tenant, is_temporary=True)
        async with open_app() as app:
            job = await cleanup_temporary_workflow_forms.enqueue(app, FORMS)
            assert await job.result(timeout=30) == {"success": True, "deletedCount": 1}

            add_form(world, world.tenant, is_temporary=True)
            break_tenant(world, "workflow_form_definitions", "delete", world.tenant)
            failing = await cleanup_temporary_workflow_forms.enqueue(app, FORMS)
            with pytest.raises(JobFailedError, match="failed for 1 of 1 tenants"):
                await failing.result(timeout=30)
            assert (await failing.status()).attempt == 2
            recorded = {detail.step_name for detail in await app.details(SYSTEM_TENANT, failing.job_id)}
            assert f"Tenant {world.tenant}" in recorded


def test_only_the_system_tenant_lists_the_tenants(world: World, stranger: UUID) -> None:
    with psycopg.connect(world.dsn) as connection:
        connection.execute("set role jobcore_tenant")
        for tenant, seen in ((SYSTEM_TENANT, {world.tenant, stranger}), (stranger, {stranger})):
            connection.execute("select set_config('jobcore.tenant', %s, false)", (str(tenant),))
            assert {row[0] for row in connection.execute("select tenant from billing.tenants")} == seen
        connection.execute("select set_config('jobcore.tenant', %s, false)", (str(SYSTEM_TENANT),))
        assert connection.execute("update billing.tenants set name = 'x'").rowcount == 0
