"""What is done to jobs that are there: cancelled, retried, held back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from jobcore.app.options import as_remark
from jobcore.app.pausing import what_to_pause
from jobcore.app.queries import JobId, JobQueries, TenantId, parse_job_id
from jobcore.errors import JobNotFoundError
from jobcore.handlers.registry import AnyHandler
from jobcore.ids import parse_tenant
from jobcore.models import Pause

if TYPE_CHECKING:
    from jobcore.app.hosting import Hosting
    from jobcore.app.runners import RunnerPool
    from jobcore.ports.runner import JobRunner


class JobControl(JobQueries):
    """The part of `JobApp` that changes what becomes of jobs; ids are UUIDs or their text."""

    _runners: RunnerPool

    if TYPE_CHECKING:

        def _require_open(self) -> Hosting: ...

    async def cancel(
        self, tenant: TenantId, job_id: JobId, *, reason: str | None = None, cancelled_by: str | None = None
    ) -> bool:
        """Cancel a job: a waiting one at once, a running one through its signal. False if it had ended or is none."""

        async def cancel(runner: JobRunner) -> bool:
            return await runner.cancel(
                parse_tenant(tenant),
                parse_job_id(job_id),
                reason=as_remark("reason", reason),
                cancelled_by=as_remark("cancelled_by", cancelled_by),
            )

        return await self._ask_owner(tenant, job_id, cancel)

    async def retry(self, tenant: TenantId, job_id: JobId) -> bool:
        """Queue a failed or cancelled job again, with its attempts renewed. False if it is in no such state."""

        async def retry(runner: JobRunner) -> bool:
            return await runner.retry(parse_tenant(tenant), parse_job_id(job_id))

        return await self._ask_owner(tenant, job_id, retry)

    async def pause(
        self,
        *,
        queue: str | None = None,
        handler: AnyHandler | str | None = None,
        tenant: TenantId | None = None,
        reason: str | None = None,
        paused_by: str | None = None,
    ) -> bool:
        """Pause a queue, a handler or a tenant: jobs are accepted and wait, running ones go on, no other begins.

        Returns false if it was paused already. Raises `InputError` unless exactly one of the three is named.
        """
        self._require_open()
        kind, name = what_to_pause(queue=queue, handler=handler, tenant=tenant)
        return await self.store.pause(
            kind, name, reason=as_remark("reason", reason), paused_by=as_remark("paused_by", paused_by)
        )

    async def resume(
        self,
        *,
        queue: str | None = None,
        handler: AnyHandler | str | None = None,
        tenant: TenantId | None = None,
    ) -> bool:
        """Let a queue, a handler or a tenant go on. False if it was not paused. Raises as `pause`."""
        self._require_open()
        return await self.store.resume(*what_to_pause(queue=queue, handler=handler, tenant=tenant))

    async def pauses(self) -> Sequence[Pause]:
        """Return what is paused, the oldest first."""
        self._require_open()
        return await self.store.pauses()

    async def _ask_owner(self, tenant: TenantId, job_id: JobId, ask: Callable[[JobRunner], Awaitable[bool]]) -> bool:
        """Ask the engine that has a job, and another one if the job was moved there meanwhile; false if none agrees."""
        asked: JobRunner | None = None
        while (runner := await self._runner_of(tenant, job_id)) is not None and runner is not asked:
            if await ask(runner):
                return True
            asked = runner
        return False

    async def _runner_of(self, tenant: TenantId, job_id: JobId) -> JobRunner | None:
        self._require_open()
        try:
            job = await self.get_job(tenant, job_id)
        except JobNotFoundError:
            return None
        return await self._runners.get(job.runner_type)
