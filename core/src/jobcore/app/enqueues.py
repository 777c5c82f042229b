"""How jobs get in: one, many of one kind, a whole flow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload
from uuid import UUID

from jobcore.app.flows import Flow
from jobcore.app.handle import AppJobHandle
from jobcore.app.queries import TenantId
from jobcore.errors import InputError
from jobcore.handlers.definition import HandlerDefinition
from jobcore.models import Enqueued, NewJob, OnDemand
from jobcore.ports.handle import EnqueueOptions

if TYPE_CHECKING:
    from jobcore.app.announced import AnnouncedHandlers
    from jobcore.app.hosting import Hosting
    from jobcore.app.planner import Planner
    from jobcore.app.submission import Submission
    from jobcore.handlers.registry import AnyHandler, JobHandlerRegistry

DataT = TypeVar("DataT")
ResultT = TypeVar("ResultT")


class Enqueues:
    """The part of `JobApp` that enqueues."""

    registry: JobHandlerRegistry
    planner: Planner
    submission: Submission
    announced: AnnouncedHandlers

    if TYPE_CHECKING:

        def _require_open(self) -> Hosting: ...

        def _handle(self, tenant: UUID, enqueued: Enqueued, definition: AnyHandler | None) -> AppJobHandle[Any]: ...

    @overload
    async def enqueue(
        self, job: HandlerDefinition[DataT, ResultT], data: DataT, **options: Unpack[EnqueueOptions]
    ) -> AppJobHandle[ResultT]: ...

    @overload
    async def enqueue(self, job: str, data: Any = None, **options: Unpack[EnqueueOptions]) -> AppJobHandle[Any]: ...

    async def enqueue(self, job: Any, data: Any = None, **options: Unpack[EnqueueOptions]) -> AppJobHandle[Any]:
        """Enqueue a job: once this returns (or once `connection` commits) it will run.

        Args:
            job: the handler, or its name.
            data: the payload: the handler's model, or a mapping that fits it. Names the tenant, unless `tenant` does.
            options: see `EnqueueOptions`.

        Raises:
            TenantRequiredError, PayloadError, InputError: if the call cannot be meant; nothing was enqueued.
            CapabilityError: if the chosen runner cannot honour a request.
            QuotaExceededError: if the tenant would have more than an operator lets it have.
            HandlerNotFoundError: if neither this process nor a live worker has the handler.
            StorageUnavailableError: if the engine cannot be reached.
        """
        self._require_open()
        await self._require_known(job, options)
        plan = self.planner.plan(job, data, options)
        [enqueued] = await self.submission.submit([plan], options.get("connection"))
        return self._handle(plan.tenant, enqueued, self.planner.definition_of(job))

    @overload
    async def enqueue_many(
        self, job: HandlerDefinition[DataT, ResultT], data: Iterable[DataT], **options: Unpack[EnqueueOptions]
    ) -> Sequence[AppJobHandle[ResultT]]: ...

    @overload
    async def enqueue_many(
        self, job: str, data: Iterable[Any], **options: Unpack[EnqueueOptions]
    ) -> Sequence[AppJobHandle[Any]]: ...

    async def enqueue_many(
        self, job: Any, data: Iterable[Any], **options: Unpack[EnqueueOptions]
    ) -> Sequence[AppJobHandle[Any]]:
        """Enqueue one job for each payload, in one round trip for each runner; raises as `enqueue`.

        All of one runner are accepted, or none. `job_id` and `dedupe_key` belong to one job: use `enqueue` for them.
        Payloads of a generator are asked for one by one, while the transaction is open, so a slow one is better read to
        its end before; its objects take no memory afterwards, and what it raises comes out, with nothing accepted. The
        handles, in the payloads' order, are made when they are read.
        """
        self._require_open()
        if options.get("job_id") is not None or options.get("dedupe_key") is not None:
            raise InputError("enqueue_many makes many jobs, and job_id and dedupe_key belong to one; use enqueue.")
        await self._require_known(job, options)
        settled = data if isinstance(data, Iterator) else list(data)  # which the caller may change meanwhile
        plans = self.planner.plan_many(job, settled, options)
        tenants, answers = await self.submission.submit_all(
            plans, options.get("connection"), self.planner.runner_of_all(job, options)
        )
        definition = self.planner.definition_of(job)
        return OnDemand(len(answers), lambda at: self._handle(tenants[at], answers[at], definition))

    async def enqueue_flow(
        self, flow: Flow, *, tenant: TenantId | None = None, connection: Any = None
    ) -> list[AppJobHandle[Any]]:
        """Enqueue all jobs of a flow, or none, in one transaction; return their handles in the order of `flow.jobs`.

        Args:
            tenant: of those jobs whose options and payloads do not name it.
            connection: in whose transaction.

        Raises:
            FlowCycleError: if jobs wait for one another in a circle.
            InputError: if the jobs belong to several runners, and there is no `connection` to enqueue them together.
            What `enqueue` raises.
        """
        self._require_open()
        plans: list[NewJob] = []
        for added in flow.in_order():
            await self._require_known(added.job, added.options)
            options: EnqueueOptions = {"tenant": tenant, **added.options, "connection": connection}
            plans.append(self.planner.plan(added.job, added.data, options))
        if connection is None and len({plan.runner_type for plan in plans}) > 1:
            raise InputError(
                "The jobs of this flow belong to several runners; pass connection= to enqueue them as one."
            )
        answers = await self.submission.submit(plans, connection)
        handles = {
            plan.job_id: self._handle(plan.tenant, answer, self.registry.find(plan.name))
            for plan, answer in zip(plans, answers, strict=True)
        }
        return [handles[added.job_id] for added in flow.jobs]

    async def _require_known(self, job: object, options: EnqueueOptions) -> None:
        if isinstance(job, str):
            await (self.announced.learn if options.get("remote") else self.announced.require)(job)
