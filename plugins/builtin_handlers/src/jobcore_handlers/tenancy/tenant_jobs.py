"""Jobs that the system enqueues for its tenants, and how they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from jobcore import SYSTEM_TENANT
from jobcore.app.flows import Flow
from jobcore.errors import JobNotFoundError, QuotaExceededError
from jobcore.models import OnFailure
from jobcore.states import JobState
from jobcore_handlers.statements import Statements
from jobcore_handlers.tenancy.listing import list_tenants
from jobcore_handlers.tenancy.payload import FOLLOWER, CancelTenantsJobs
from jobcore_handlers.tenancy.system_database import SystemDatabase

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How many jobs of a fan-out are in which state."""

    completed: int
    failed: int
    cancelled: int
    unknown: int
    """Ended, and deleted since."""
    unended: int
    failed_tenants: list[UUID]


@dataclass(frozen=True, slots=True)
class SameJob:
    """The job that each tenant gets."""

    parent: UUID
    """The job that enqueues it; the ids of the others follow from it."""
    handler: str
    data: dict[str, Any]

    def id_for(self, tenant: UUID) -> UUID:
        return id_for(self.parent, tenant)


@dataclass(frozen=True, slots=True)
class TenantJob:
    """The job of one tenant."""

    tenant: UUID
    job_id: UUID


def id_for(parent: UUID, tenant: UUID) -> UUID:
    """Return the id of a tenant's job: it follows from that of the job that enqueues it."""
    return uuid5(parent, str(tenant))


class TenantJobs:
    """Enqueues for every tenant, and looks up. A service of the handlers, for jobs of the system tenant."""

    def __init__(self, app: JobApp) -> None:
        self._app = app
        self._database = SystemDatabase(app)

    async def tenants(self) -> Sequence[UUID]:
        """Return every tenant."""
        async with self._database.transaction() as connection:
            return await list_tenants(connection)

    async def enqueue(self, job: SameJob, tenants: Sequence[UUID]) -> Sequence[UUID]:
        """Enqueue the job for all these tenants in one transaction; return those whose quota allows no further job.

        A second call enqueues nothing: a tenant that has the job keeps it.

        Raises:
            PayloadError, HandlerNotFoundError, and what else `JobApp.enqueue` raises.
        """
        try:
            await self._enqueue_together(job, tenants)
        except QuotaExceededError:
            return [tenant for tenant in tenants if not await self._enqueue_alone(job, tenant)]
        return []

    async def follow(self, parent: UUID) -> None:
        """See to it that a job waits for the end of this one, and cancels the tenants' jobs if it was cancelled."""
        await self._app.enqueue(
            FOLLOWER,
            CancelTenantsJobs(fan_out=parent),
            tenant=SYSTEM_TENANT,
            after=[parent],
            on_parent_failure=OnFailure.RUN,
            dedupe_key=str(parent),
        )

    async def was_cancelled(self, parent: UUID) -> bool:
        """Return whether this job of the system has been cancelled; one that is not there any more has not."""
        try:
            return (await self._app.get_job(SYSTEM_TENANT, parent)).status is JobState.CANCELLED
        except JobNotFoundError:
            return False

    async def unended(self, parent: UUID) -> Sequence[TenantJob]:
        """Return the jobs that this one enqueued and that have not ended."""
        async with self._database.transaction() as connection:
            tenants = await list_tenants(connection)
            return await Statements("tenancy", connection).all(
                "list_unended", TenantJob, tenants=tenants, jobs=[id_for(parent, tenant) for tenant in tenants]
            )

    async def cancel(self, job: TenantJob, reason: str) -> bool:
        """Cancel a tenant's job: a waiting one at once, a running one through its signal. False if it had ended."""
        return await self._app.cancel(job.tenant, job.job_id, reason=reason)

    async def standing(self, job: SameJob, tenants: Sequence[UUID]) -> Standing:
        """Return how the jobs of these tenants stand."""
        async with self._database.transaction() as connection:
            counted = await Statements("tenancy", connection).all(
                "count_by_state", Standing, tenants=list(tenants), jobs=[job.id_for(tenant) for tenant in tenants]
            )
        return counted[0]

    async def _enqueue_together(self, job: SameJob, tenants: Sequence[UUID]) -> None:
        flow, origin = Flow(), {"forEachTenant": str(job.parent)}
        for tenant in tenants:
            flow.add(job.handler, job.data, tenant=tenant, job_id=job.id_for(tenant), metadata=origin)
        async with self._database.transaction() as connection:
            await self._app.enqueue_flow(flow, connection=connection)

    async def _enqueue_alone(self, job: SameJob, tenant: UUID) -> bool:
        try:
            await self._enqueue_together(job, [tenant])
        except QuotaExceededError:
            return False
        return True
