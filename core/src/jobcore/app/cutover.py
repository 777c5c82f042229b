"""How an operator gives the jobs of one runner to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobcore.app.move_counts import CutoverProgress
from jobcore.app.mover import Mover
from jobcore.app.queries import TenantId
from jobcore.app.runners import RunnerPool
from jobcore.models import Cutover

if TYPE_CHECKING:
    from jobcore.handlers.registry import JobHandlerRegistry
    from jobcore.ports.runner import JobRunner
    from jobcore.ports.store import JobStore


class Cutovers:
    """The moving part of `JobApp`."""

    store: JobStore
    registry: JobHandlerRegistry
    _runners: RunnerPool

    if TYPE_CHECKING:

        async def runner(self, name: str | None = None) -> JobRunner: ...

    async def cutover(
        self,
        source: str,
        target: str,
        *,
        handler: str | None = None,
        tenant: TenantId | None = None,
        dry_run: bool = False,
        progress: CutoverProgress | None = None,
    ) -> Cutover:
        """Move the jobs that have not begun, and the schedules that name `source`, from one runner to another.

        Running jobs end where they are. Each batch is one transaction: a cutover that was killed is resumed by another
        one, and nothing is lost or done twice. Jobs that are made for `source` meanwhile are counted, not moved.

        Args:
            handler: a glob; only the jobs and schedules of such handlers.
            tenant: only this tenant's; without it every tenant's.
            dry_run: only count.
            progress: hears how far it is.

        Raises:
            InputError: if the two are one runner.
            UnknownRunnerError, EditionError: if either is not installed.
            EngineUnavailableError: if the target cannot take jobs now; nothing was moved.
            CapabilityError: if the storage cannot move jobs.
            StorageUnavailableError: if the database went away; what was moved by then is moved.
        """
        leaves, takes = await self.runner(source), await self.runner(target)
        mover = Mover(leaves, takes, self._runners, self.store, self.registry)
        return await mover.run(handler=handler, tenant=tenant, dry_run=dry_run, progress=progress)
