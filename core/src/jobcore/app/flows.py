"""Flows: jobs that run after other jobs, put together first and enqueued as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, Generic, TypeVar, Unpack, overload
from uuid import UUID

from jobcore.app.options import MOST_PARENTS, as_uuid
from jobcore.errors import InputError
from jobcore.handlers.definition import HandlerDefinition
from jobcore.handlers.registry import AnyHandler
from jobcore.ids import uuid7
from jobcore.models import OnFailure
from jobcore.ports.handle import EnqueueOptions

DataT = TypeVar("DataT")
ResultT = TypeVar("ResultT")

Step = tuple[AnyHandler | str, Any]
"""A job and its payload."""


class FlowCycleError(InputError):
    """Jobs of a flow wait for one another in a circle, so that none of them could ever run."""


@dataclass(frozen=True, eq=False)
class FlowJob(Generic[ResultT]):
    """A job of a flow; its id is settled before it is enqueued."""

    job: AnyHandler | str
    data: Any
    options: EnqueueOptions
    job_id: UUID


@dataclass(slots=True)
class Flow:
    """Jobs of one tenant, some of which run after others; `JobApp.enqueue_flow` enqueues them together, or none.

    Nothing is checked or stored before that.
    """

    jobs: list[FlowJob[Any]] = field(default_factory=list[FlowJob[Any]])

    @overload
    def add(
        self, job: HandlerDefinition[DataT, ResultT], data: DataT, **options: Unpack[EnqueueOptions]
    ) -> FlowJob[ResultT]: ...

    @overload
    def add(self, job: str, data: Any = None, **options: Unpack[EnqueueOptions]) -> FlowJob[Any]: ...

    def add(self, job: Any, data: Any = None, **options: Unpack[EnqueueOptions]) -> FlowJob[Any]:
        """Add a job; `after=` names those that have to end first: of this flow, or already enqueued.

        The options are those of `JobApp.enqueue`, but for `connection`, and for what lets jobs stand for one another.

        Raises:
            InputError: for an option that does not fit a flow.
        """
        for name in ("connection", "dedupe_key", "on_conflict", "window"):
            if options.get(name) is not None:
                raise InputError(f"A job of a flow takes no {name}: others wait for this very job.")
        job_id = as_uuid("job_id", options.get("job_id")) or uuid7()
        added: FlowJob[Any] = FlowJob(job, data, {**options, "job_id": job_id}, job_id)
        self.jobs.append(added)
        return added

    def chain(self, *steps: Step, **options: Unpack[EnqueueOptions]) -> FlowJob[Any]:
        """Add jobs of which each runs after the one before, and return the last; the options are of all of them.

        Raises `InputError` if there is no step.
        """
        last: FlowJob[Any] | None = None
        for job, data in steps:
            last = self.add(job, data, **(options if last is None else {**options, "after": [last]}))
        if last is None:
            raise InputError("A chain has at least one step, (job, payload).")
        return last

    def group(
        self,
        members: Iterable[Step],
        *,
        then: Step,
        if_one_fails: OnFailure | str = OnFailure.CANCEL,
        **options: Unpack[EnqueueOptions],
    ) -> FlowJob[Any]:
        """Add jobs that run beside one another, and one that runs when all of them have ended; return that one.

        Args:
            members: the jobs, each with its payload.
            then: the job that follows them.
            if_one_fails: what becomes of it then: its `on_parent_failure`; `run` lets it look at what they did.
            options: of the members.

        Raises:
            InputError: if there is no member.
        """
        added = [self.add(job, data, **options) for job, data in members]
        if not added:
            raise InputError("A group has at least one member, (job, payload).")
        job, data = then
        return self.add(job, data, after=added, on_parent_failure=if_one_fails)

    def in_order(self) -> Sequence[FlowJob[Any]]:
        """Return the jobs so that each comes after those it waits for.

        Raises:
            FlowCycleError: if jobs wait for one another in a circle; names them.
            InputError: if two jobs have one id.
        """
        by_id = {added.job_id: added for added in self.jobs}
        if len(by_id) != len(self.jobs):
            raise InputError("Two jobs of this flow have one job_id.")
        sorter = TopologicalSorter({added.job_id: _own_parents(added, by_id) for added in self.jobs})
        try:
            return [by_id[job_id] for job_id in sorter.static_order()]
        except CycleError as error:
            circle = " -> ".join(f"{_name(by_id[job_id])} ({job_id})" for job_id in error.args[1])
            raise FlowCycleError(f"These jobs wait for one another in a circle: {circle}.") from None


def _own_parents(added: FlowJob[Any], by_id: dict[UUID, FlowJob[Any]]) -> list[UUID]:
    """Return those of the flow that a job waits for; what else it names is checked when it is enqueued."""
    after = list(added.options.get("after") or ())[: MOST_PARENTS + 1]
    named = [getattr(parent, "job_id", parent) for parent in after]
    return [job_id for value in named if (job_id := as_uuid("after", value)) in by_id and job_id is not None]


def _name(added: FlowJob[Any]) -> str:
    return added.job.name if isinstance(added.job, HandlerDefinition) else str(added.job)
