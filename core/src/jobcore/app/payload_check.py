"""Whether this build can take the payloads that wait: what `jobcore check` finds out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from jobcore.handlers.registry import AnyHandler, JobHandlerRegistry
from jobcore.handlers.schemas import SchemaChange, compare_schemas, schema_of
from jobcore.handlers.versions import read_payload, version_told
from jobcore.models import Schedule, WaitingPayload
from jobcore.ports.store import JobStore
from jobcore.redaction import redact_text

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp

PAGE = 500
"""Jobs that are in memory at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadFailure:
    """Payloads of one handler and version that do not parse in this build, for one kind of reason."""

    handler: str
    version: int | None
    """`None` if the payload names no version."""
    kind: str
    """`job` or `schedule`: what has the payload."""
    count: int
    tenant: UUID
    example: str
    """The id of the first job, or the key of the first schedule."""
    reason: str
    """Why the first one does not parse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadChange:
    """A payload that looks otherwise in this build than workers announced it, under one version number."""

    handler: str
    version: int
    changes: Sequence[SchemaChange]

    @property
    def breaks(self) -> bool:
        return any(change.breaks for change in self.changes)

    def __str__(self) -> str:
        told = "; ".join(map(str, self.changes))
        return f"the payload of {self.handler!r} changed without a new version (it is {self.version}): {told}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadCheck:
    """What was found."""

    handlers: int
    jobs: int
    schedules: int
    failures: Sequence[PayloadFailure]
    changes: Sequence[PayloadChange]

    @property
    def failed(self) -> bool:
        """Whether this build should not be rolled out as it is."""
        return bool(self.failures) or any(change.breaks for change in self.changes)


async def check_payloads(app: JobApp, told: Callable[[int], None] = lambda _: None) -> PayloadCheck:
    """Parse the payloads of all waiting jobs and schedules of this build's handlers, and compare its schemas.

    Runs no job and changes nothing.

    Args:
        told: hears how many jobs have been looked at, after each page.
    """
    registry, store, findings = app.registry, app.store, _Findings()
    jobs = 0
    async for page in _pages(store, registry.get_registered_names()):
        for job in page:
            findings.look("job", registry.get(job.handler), job.payload, job.tenant, str(job.job_id))
        jobs += len(page)
        told(jobs)
    schedules = [schedule for schedule in await store.list_schedules() if schedule.handler in registry]
    _look_at_schedules(findings, registry, schedules)
    return PayloadCheck(
        handlers=len(registry),
        jobs=jobs,
        schedules=len(schedules),
        failures=findings.failures(),
        changes=await _changes(store, registry),
    )


class _Findings:
    """Failures by handler, version and kind of error: as many as there are of these, however many jobs wait."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int | None, str, str], PayloadFailure] = {}

    def look(self, kind: str, handler: AnyHandler, payload: bytes, tenant: UUID, example: str) -> None:
        try:
            read_payload(handler, payload)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - validators and upcasters are a user's code
            version = version_told(payload)
            key = (handler.name, version, kind, type(error).__name__)
            first = self._found.get(key) or PayloadFailure(
                handler=handler.name,
                version=version,
                kind=kind,
                count=0,
                tenant=tenant,
                example=example,
                reason=redact_text(f"{error}" or type(error).__name__),
            )
            self._found[key] = replace(first, count=first.count + 1)

    def failures(self) -> Sequence[PayloadFailure]:
        return sorted(self._found.values(), key=lambda one: (one.handler, one.version or 0, one.kind))


async def _pages(store: JobStore, handlers: Sequence[str]) -> AsyncIterator[Sequence[WaitingPayload]]:
    page = await store.waiting_payloads(handlers, limit=PAGE)
    while page:
        yield page
        page = await store.waiting_payloads(handlers, after=page[-1], limit=PAGE)


def _look_at_schedules(findings: _Findings, registry: JobHandlerRegistry, schedules: Sequence[Schedule]) -> None:
    for schedule in schedules:
        handler = registry.get(schedule.handler)
        findings.look("schedule", handler, schedule.payload, schedule.tenant, schedule.key)


async def _changes(store: JobStore, registry: JobHandlerRegistry) -> Sequence[PayloadChange]:
    recorded = {
        (schema.handler, schema.version): schema.schema
        for schema in await store.payload_schemas(registry.get_registered_names())
    }
    changes: list[PayloadChange] = []
    for handler in registry:
        now, then = schema_of(handler), recorded.get((handler.name, handler.version))
        if now is not None and then is not None and (found := compare_schemas(then, now.schema)):
            changes.append(PayloadChange(handler=handler.name, version=handler.version, changes=found))
    return changes
