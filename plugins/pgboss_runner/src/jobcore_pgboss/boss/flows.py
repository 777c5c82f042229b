"""Flows: jobs of which some wait until others have completed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, TypedDict
from uuid import UUID, uuid4

from jobcore.errors import InputError
from jobcore_pgboss.boss.desk import Verbs
from jobcore_pgboss.boss.errors import QueueNotFoundError
from jobcore_pgboss.boss.options import SendOptions, check_limit, check_queue_name, check_send_options
from jobcore_pgboss.boss.targets import uuid_of
from jobcore_pgboss.duties.navigator import BATCH


class _Named(TypedDict):
    ref: str
    """Its name within the flow."""
    name: str
    """Its queue."""


class FlowJob(_Named, total=False):
    """One job of a flow."""

    data: Any
    options: SendOptions
    depends_on: Sequence[str]
    """The refs of its parents: it may run once they all have completed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyRef:
    """A job at the other end of a dependency."""

    name: str
    """Its queue."""
    id: UUID


class Flows(Verbs):
    """`flow`, `get_dependencies`, `get_dependents`, `resolve_flow`."""

    async def flow(self, jobs: Sequence[FlowJob], *, connection: Any = None) -> dict[str, UUID]:
        """Send jobs that depend on one another, all or none; return the id of each by its ref.

        Args:
            jobs: two or more, of one queue or several, with at least one that depends on another.
            connection: the application's own, in whose transaction they are sent.

        Raises:
            InputError: if the jobs make no flow, an option cannot be meant, or a queue does not let its job in.
            QueueNotFoundError: if there is no such queue.
            StorageUnavailableError: if the database cannot be reached.
        """
        _check(jobs)
        ids = {job["ref"]: _id_of(job) for job in jobs}
        sent = {"jobs": [_sent(job, ids) for job in jobs], "dependencies": _dependencies(jobs, ids)}
        missing = await self._desk.ask("flow", "", sent, connection=connection)
        if missing:
            raise QueueNotFoundError(missing[0])
        return ids

    async def get_dependencies(
        self,
        name: str,
        job_id: UUID | str,
        *,
        after: DependencyRef | None = None,
        limit: int = 1_000,
        connection: Any = None,
    ) -> list[DependencyRef]:
        """Return the parents of a job, completed or not, by queue and id; none for one that depends on nothing.

        Args:
            name: the job's queue.
            job_id: the job.
            after: those behind this one, the last of the page before.
            limit: how many at most, up to 100,000.
            connection: the application's own, in whose transaction it is looked.

        Raises:
            InputError: if an argument cannot be meant.
        """
        wanted = _page("get_dependencies", job_id, after, limit)
        return _refs(await self._desk.ask("get_dependencies", check_queue_name(name), wanted, connection=connection))

    async def get_dependents(
        self,
        name: str,
        job_id: UUID | str,
        *,
        after: DependencyRef | None = None,
        limit: int = 1_000,
        connection: Any = None,
    ) -> list[DependencyRef]:
        """Return the children of a job. Arguments, order and errors are those of `get_dependencies`."""
        wanted = _page("get_dependents", job_id, after, limit)
        return _refs(await self._desk.ask("get_dependents", check_queue_name(name), wanted, connection=connection))

    async def resolve_flow(self) -> None:
        """Let the children of completed jobs run now, where the next pass of a worker or of Node would do it."""
        while await self._desk.ask("resolve_flow", "", BATCH) == BATCH:
            pass


def _check(jobs: Sequence[FlowJob]) -> None:
    if len(jobs) < 2:
        raise InputError("A flow has at least 2 jobs.")
    parents: dict[str, set[str]] = {}
    for job in jobs:
        _check_keys(job)
        ref = job["ref"]
        if not ref or ref in parents:
            raise InputError(f"Each job of a flow has a ref of its own, and {ref!r} is none.")
        check_queue_name(job["name"])
        parents[ref] = _parents_of(job)
    if not any(parents.values()):
        raise InputError("In a flow at least one job depends on another: give it depends_on.")
    for ref, its in parents.items():
        if unknown := sorted(its - parents.keys()):
            raise InputError(f"Job {ref!r} depends on {', '.join(map(repr, unknown))}, which the flow has not.")
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as error:
        raise InputError(f"The flow runs in a circle: {' -> '.join(error.args[1])}.") from error


def _check_keys(job: FlowJob) -> None:
    if missing := FlowJob.__required_keys__ - job.keys():
        raise InputError(f"A job of a flow lacks {', '.join(sorted(missing))}: {dict(job)!r}.")
    if unknown := job.keys() - FlowJob.__annotations__.keys():
        raise InputError(
            f"Job {job['ref']!r} of a flow has {', '.join(sorted(unknown))}; "
            f"there are {', '.join(FlowJob.__annotations__)}."
        )


def _parents_of(job: FlowJob) -> set[str]:
    given: Any = job.get("depends_on") or ()
    if isinstance(given, str):
        raise InputError(f"depends_on of job {job['ref']!r} is a list of refs, not {given!r}.")
    return set(given)


def _id_of(job: FlowJob) -> UUID:
    chosen = job.get("options", {}).get("id")
    return uuid4() if chosen is None else UUID(uuid_of("flow", chosen))


def _sent(job: FlowJob, ids: Mapping[str, UUID]) -> dict[str, Any]:
    options = job.get("options", {})
    if "connection" in options:
        raise InputError("flow: connection belongs to the call, not to a job.")
    checked = {**check_send_options(options), "id": ids[job["ref"]]}
    return {"ref": job["ref"], "name": job["name"], "data": job.get("data"), "options": checked}


def _dependencies(jobs: Sequence[FlowJob], ids: Mapping[str, UUID]) -> list[dict[str, Any]]:
    queues = {job["ref"]: job["name"] for job in jobs}
    return [
        {
            "child_name": job["name"],
            "child_id": ids[job["ref"]],
            "parent_name": queues[parent],
            "parent_id": ids[parent],
        }
        for job in jobs
        for parent in _parents_of(job)
    ]


def _page(verb: str, job_id: UUID | str, after: DependencyRef | None, limit: int) -> dict[str, Any]:
    wanted: dict[str, Any] = {"id": uuid_of(verb, job_id), "limit": check_limit(verb, limit)}
    if after is not None:
        wanted["after"] = {"name": after.name, "id": after.id}
    return wanted


def _refs(found: Sequence[Mapping[str, str]]) -> list[DependencyRef]:
    return [DependencyRef(name=each["name"], id=UUID(each["id"])) for each in found]
