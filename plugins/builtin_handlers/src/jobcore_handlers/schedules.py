"""When the handlers of this pack run by default: one table, registered only when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from jobcore.errors import InputError, QuotaExceededError
from jobcore.ids import SYSTEM_TENANT, parse_tenant
from jobcore.models import Overlap
from jobcore.settings import Edition
from jobcore_handlers.tenancy.tenant_jobs import TenantJobs

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp


class Whose(StrEnum):
    """Whose jobs a schedule makes."""

    EACH_TENANT = "each tenant"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class DefaultSchedule:
    """One line of the table. The handler's name is the schedule's key as well."""

    handler: str
    when: str
    """A cron pattern, in UTC, or an interval."""
    whose: Whose
    edition: Edition = Edition.COMMUNITY


DEFAULT_SCHEDULES = (
    DefaultSchedule("expired-credits", "0 1 * * *", Whose.EACH_TENANT),
    DefaultSchedule("expiring-credits-notification", "0 9 * * *", Whose.EACH_TENANT),
    DefaultSchedule("credit-reconciliation", "0 2 * * *", Whose.EACH_TENANT),
    DefaultSchedule("reconcile-bucket-usage", "0 3 * * *", Whose.EACH_TENANT),
    DefaultSchedule("cleanup-temporary-workflow-forms", "0 2 * * *", Whose.SYSTEM),
    DefaultSchedule("renew-microsoft-calendar-webhooks", "*/30 * * * *", Whose.EACH_TENANT),
    DefaultSchedule("verify-google-calendar-pubsub", "15 * * * *", Whose.EACH_TENANT),
    DefaultSchedule("cleanup-ai-session-keys", "*/10 * * * *", Whose.SYSTEM, Edition.ENTERPRISE),
    DefaultSchedule("createClientContractLineCycles", "24 hours", Whose.SYSTEM),
    DefaultSchedule("createNextTimePeriods", "24 hours", Whose.EACH_TENANT),
    DefaultSchedule("audit.retention", "0 3 * * *", Whose.SYSTEM),
    DefaultSchedule("email.process-queue", "30 seconds", Whose.SYSTEM),
    DefaultSchedule("notifs.cleanup", "1 hour", Whose.SYSTEM),
)


class Outcome(StrEnum):
    """What became of a default schedule."""

    ADDED = "added"
    KEPT = "kept"
    """There is a schedule of this key; whatever it says, it stands."""
    NO_HANDLER = "no handler"
    """This build has no handler of this name."""
    OTHER_EDITION = "other edition"
    OVER_QUOTA = "over quota"
    """The tenant may have no further schedule."""


@dataclass(frozen=True, slots=True)
class Registration:
    """A default schedule of one tenant, and what became of it."""

    tenant: UUID
    schedule: DefaultSchedule
    outcome: Outcome


Tell = Callable[[int, int], None]
"""Hears how many are done, and of how many."""


async def register_default_schedules(
    app: JobApp, *, tenant: UUID | str | None = None, dry_run: bool = False, tell: Tell | None = None
) -> Sequence[Registration]:
    """Make the default schedules that are not there yet, and return what became of each.

    A schedule that is there is left as it is: changed, paused or not. One that was removed is made again; pause it
    instead.

    Args:
        app: an open application.
        tenant: whose schedules, a tenant's or `'system'`'s; by default those of the system and of every tenant.
        dry_run: look only, and change nothing.

    Raises:
        InputError: if there is no such tenant.
    """
    owner = None if tenant is None else parse_tenant(tenant)
    wanted = list(_wanted(await _owners(app, owner)))
    existing = {(schedule.tenant, schedule.key) for schedule in await app.schedules.list(owner)}
    unavailable = _unavailable(app)
    done: list[Registration] = []
    for whose, schedule in wanted:
        outcome = unavailable.get(schedule)
        if (whose, schedule.handler) in existing:
            outcome = Outcome.KEPT
        elif outcome is None:
            outcome = Outcome.ADDED if dry_run else await _add(app, whose, schedule)
        done.append(Registration(whose, schedule, outcome))
        if tell is not None:
            tell(len(done), len(wanted))
    return done


async def _owners(app: JobApp, owner: UUID | None) -> Sequence[UUID]:
    if owner == SYSTEM_TENANT:
        return [SYSTEM_TENANT]
    tenants = await app.services.get(TenantJobs).tenants()
    if owner is None:
        return [SYSTEM_TENANT, *tenants]
    if owner not in tenants:
        raise InputError(f"There is no tenant {owner} in billing.tenants; nothing was scheduled.")
    return [owner]


def _wanted(owners: Iterable[UUID]) -> Iterator[tuple[UUID, DefaultSchedule]]:
    for owner in owners:
        whose = Whose.SYSTEM if owner == SYSTEM_TENANT else Whose.EACH_TENANT
        yield from ((owner, schedule) for schedule in DEFAULT_SCHEDULES if schedule.whose is whose)


def _unavailable(app: JobApp) -> dict[DefaultSchedule, Outcome]:
    reasons: dict[DefaultSchedule, Outcome] = {}
    for schedule in DEFAULT_SCHEDULES:
        if not app.settings.edition.includes(schedule.edition):
            reasons[schedule] = Outcome.OTHER_EDITION
        elif not app.registry.has(schedule.handler):
            reasons[schedule] = Outcome.NO_HANDLER
    return reasons


async def _add(app: JobApp, owner: UUID, schedule: DefaultSchedule) -> Outcome:
    try:
        await app.schedules.put(schedule.handler, schedule.handler, schedule.when, tenant=owner, overlap=Overlap.SKIP)
    except QuotaExceededError:
        return Outcome.OVER_QUOTA
    return Outcome.ADDED
