"""The handler of `cleanup-temporary-workflow-forms` (J09)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from jobcore import JobContext, RetryPolicy, job
from jobcore_handlers import _logs
from jobcore_handlers.forms.payload import CleanupTemporaryWorkflowForms
from jobcore_handlers.statements import Connection, Statements
from jobcore_handlers.tenancy import count_over_tenants


@dataclass(frozen=True, slots=True)
class _Form:
    form_id: UUID


@job("cleanup-temporary-workflow-forms", retry=RetryPolicy(max_attempts=2))
async def cleanup_temporary_workflow_forms(
    ctx: JobContext,
    data: CleanupTemporaryWorkflowForms,  # noqa: ARG001 - names the tenant, which the context knows
) -> dict[str, Any]:
    """Delete temporary forms with their schemas and task definitions: one tenant's, or the system's for all tenants.

    Raises:
        TenantsFailedError: if the forms of some tenants could not be deleted; those of the others are gone.
    """
    counts = await count_over_tenants(ctx, delete_temporary_forms)
    _logs.forms_deleted(ctx.logger, counts.changed, counts.tenants)
    return {"success": True, "deletedCount": counts.changed}


async def delete_temporary_forms(connection: Connection, tenant: UUID) -> int:
    """Delete the temporary forms of one tenant and what belongs to them; return how many forms."""
    statements = Statements("forms", connection)
    locked = await statements.all("lock_temporary_forms", _Form, tenant=tenant)
    forms = [form.form_id for form in locked]
    if forms:
        await statements.run("delete_task_definitions", tenant=tenant, forms=forms)
        await statements.run("delete_schemas", tenant=tenant, forms=forms)
        await statements.run("delete_forms", tenant=tenant, forms=forms)
    return len(forms)
