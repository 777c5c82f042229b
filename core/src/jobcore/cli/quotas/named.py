"""Whose quota a command is about, and how it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from jobcore.cli.errors import UsageError
from jobcore.ids import parse_tenant
from jobcore.ports.wording import tenant_name

if TYPE_CHECKING:
    from jobcore.models import Quota

OneTenant = Annotated[
    str | None, typer.Option("--tenant", metavar="UUID|system", help="Of this tenant: its id, or 'system'.")
]
Default = Annotated[bool, typer.Option("--default", help="Of all tenants that have none of their own.")]


def the_owner(tenant: str | None, default: bool) -> UUID | None:
    """Return whose quota is meant; `None` is the default. Raises `UsageError`, `InvalidTenantError`."""
    if (tenant is None) is not default:
        raise UsageError("Name either --tenant, or --default for all tenants that have no quota of their own.")
    return None if tenant is None else parse_tenant(tenant)


def owner_name(owner: UUID | None) -> str:
    return "default" if owner is None else tenant_name(owner)


def quota_document(owner: UUID | None, quota: Quota) -> dict[str, Any]:
    """Return a quota as `--json` shows it; the default has no tenant."""
    return {
        "tenant": None if owner is None else str(owner),
        "waiting": quota.waiting,
        "enqueues_per_second": quota.enqueues_per_second,
        "schedules": quota.schedules,
    }
