"""From a call to a plan: every check is made here, at the earliest point, and every decision too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NoReturn
from uuid import UUID

from jobcore.app.announced import AnnouncedHandlers, FlowRules
from jobcore.app.flow import flow_controlled
from jobcore.app.options import CheckedOptions, check_options
from jobcore.app.runners import RunnerPool
from jobcore.errors import CapabilityError, PayloadInvalidError
from jobcore.handlers.definition import DEFAULT_TIMEOUT, HandlerDefinition
from jobcore.handlers.payload import VERSION_FIELD, bind_tenant, decode_json, dump_payload
from jobcore.handlers.registry import AnyHandler, JobHandlerRegistry
from jobcore.handlers.versions import read_payload, stamp_version
from jobcore.ids import SYSTEM_TENANT, uuid7
from jobcore.limits import DEFAULT_LIMITS, PayloadLimits, check_job_name, encode_payload
from jobcore.models import TRIGGER_KEY, AlikeJobs, Claim, NewJob, OnConflict, Schedule, Trigger
from jobcore.policies.jitter import fire_jitter
from jobcore.policies.retry import DEFAULT_RETRY
from jobcore.ports.codec import PayloadCodec, PlainCodec
from jobcore.ports.handle import EnqueueOptions


@dataclass(frozen=True, slots=True)
class _Call:
    """What all jobs of one call have in common."""

    name: str
    definition: AnyHandler | None
    options: CheckedOptions
    rules: FlowRules

    @property
    def is_controlled(self) -> bool:
        """Whether the payload of each job says what it has to pass, or the call means one job only."""
        options, rules = self.options, self.rules
        one_job = options.job_id or options.dedupe_key or options.on_conflict
        return bool(rules.limits or rules.dedupe or options.after or one_job)


class Planner:
    """Makes `NewJob`s. Holds no connection and waits for nothing."""

    def __init__(
        self,
        registry: JobHandlerRegistry,
        runners: RunnerPool,
        announced: AnnouncedHandlers,
        *,
        limits: PayloadLimits = DEFAULT_LIMITS,
        codec: PayloadCodec | None = None,
    ) -> None:
        self._registry = registry
        self._runners = runners
        self._announced = announced
        self._limits = limits
        self._codec = codec or PlainCodec()

    def definition_of(self, job: AnyHandler | str) -> AnyHandler | None:
        """Return the definition of a job given as one or by name; `None` if this process has no such handler."""
        return job if isinstance(job, HandlerDefinition) else self._registry.find(check_job_name(job))

    def plan(self, job: AnyHandler | str, data: Any, options: EnqueueOptions) -> NewJob:
        """Return the plan of one enqueue.

        Raises:
            TenantRequiredError, InvalidTenantError: if nobody says whose job it is.
            PayloadInvalidError, PayloadLimitError: if the payload does not fit its model, or what can be stored.
            InputError: if an option cannot be meant.
            CapabilityError: if the chosen runner cannot honour a request.
            UnknownRunnerError, EditionError: if the wanted runner is not there.
        """
        [plan] = self._one_by_one(self._call(job, options), [data])
        return plan

    def plan_many(self, job: AnyHandler | str, data: Iterable[Any], options: EnqueueOptions) -> Iterable[NewJob]:
        """Plan one job for each payload, when it is asked for; raises as `plan`.

        They are `AlikeJobs` if nothing looks at each of them: no limit, no key, no route, no plugin.
        """
        call = self._call(job, options)
        if call.is_controlled or self.runner_of_all(job, options) is None:
            return self._one_by_one(call, data)
        return AlikeJobs(self._plan(call, SYSTEM_TENANT, b"{}"), self._members(call, data))

    def runner_of_all(self, job: AnyHandler | str, options: EnqueueOptions) -> str | None:
        """Return the runner of all jobs planned so; `None` if a route or a plugin looks at each job of its own."""
        definition = self.definition_of(job)
        return self._runners.same_for_all(
            explicit=options.get("runner"), handler=None if definition is None else definition.runner
        )

    def plan_child(
        self, parent: Claim, job: AnyHandler | str, data: Any, delay: timedelta | None, priority: int
    ) -> NewJob:
        """Return the plan of a follow-up job: of the parent's tenant, with the parent recorded. Raises as `plan`.

        A handler must be known here, or have been announced when the worker last asked.
        """
        if isinstance(job, str):
            self._announced.require_known(job)
        options: EnqueueOptions = {
            "tenant": parent.tenant,
            "delay": delay,
            "parent_job_id": parent.job_id,
        }
        if priority:
            options["priority"] = priority
        return self.plan(job, data, options)

    def plan_fire(self, schedule: Schedule, fire_time: datetime) -> NewJob:
        """Return the plan of one fire of a schedule; the same for whichever worker fires it, but for the job's id."""
        definition = self._registry.find(schedule.handler)
        options = CheckedOptions(
            run_at=fire_time + fire_jitter(schedule, fire_time) if schedule.jitter else None,
            max_attempts=schedule.max_attempts,
            metadata={TRIGGER_KEY: Trigger.CRON.value, "schedule": schedule.key},
        )
        draft = self._draft(schedule.handler, definition, options, schedule.tenant, schedule.payload)
        plan = replace(
            flow_controlled(draft, self._rules_of(draft.name, definition), options, schedule.payload),
            schedule_id=schedule.schedule_id,
            fire_time=fire_time,
        )
        return self._routed(_backing_off(plan, definition, schedule), definition, schedule.runner_type)

    def plan_trigger(self, schedule: Schedule) -> NewJob:
        """Return the plan of a job of this schedule beside its fires. Raises as `plan`."""
        options: EnqueueOptions = {
            "tenant": schedule.tenant,
            "runner": schedule.runner_type,
            "max_attempts": schedule.max_attempts,
            "metadata": {TRIGGER_KEY: Trigger.CRON_TRIGGER.value, "schedule": schedule.key},
        }
        plan = self.plan(schedule.handler, {VERSION_FIELD: 1, **decode_json(schedule.payload)}, options)
        return _backing_off(plan, self.definition_of(schedule.handler), schedule)

    def require_recurring(self, fire: NewJob) -> None:
        """Raise `CapabilityError` if the runner that would take a schedule's fires runs no job again and again."""
        if not self._runners.capabilities(fire.runner_type).recurring:
            self._refuse(fire, "recurring")

    def check_payload(
        self, name: str, definition: AnyHandler | None, data: Any, tenant: UUID | str | None
    ) -> tuple[UUID, bytes]:
        """Return whose payload it is, and its JSON text, once it fits the model and the limits."""
        try:
            owner, document = bind_tenant(dump_payload(data), tenant)
        except PayloadInvalidError as error:
            raise PayloadInvalidError(name, error.problems) from None
        stamp_version(definition, document)
        encoded = encode_payload(document, self._limits)
        if definition is not None:
            read_payload(definition, encoded)
        return owner, encoded

    def _call(self, job: AnyHandler | str, options: EnqueueOptions) -> _Call:
        definition = self.definition_of(job)
        name = definition.name if definition is not None else str(job)
        return _Call(name, definition, check_options(options), self._rules_of(name, definition))

    def _one_by_one(self, call: _Call, data: Iterable[Any]) -> Iterator[NewJob]:
        for item in data:
            yield self._plan(call, *self.check_payload(call.name, call.definition, item, call.options.tenant))

    def _members(self, call: _Call, data: Iterable[Any]) -> Iterator[tuple[UUID, UUID, bytes]]:
        """Yield what jobs that are alike differ in."""
        for item in data:
            tenant, encoded = self.check_payload(call.name, call.definition, item, call.options.tenant)
            job_id = uuid7()
            yield job_id, tenant, self._codec.encode(encoded, tenant=tenant, job_id=job_id)

    def _plan(self, call: _Call, tenant: UUID, encoded: bytes) -> NewJob:
        plan = self._draft(call.name, call.definition, call.options, tenant, encoded)
        plan = flow_controlled(plan, call.rules, call.options, encoded)
        plan = self._routed(plan, call.definition, call.options.runner)
        self._require_capabilities(plan, call.definition, call.options)
        return plan

    def _draft(
        self, name: str, definition: AnyHandler | None, options: CheckedOptions, tenant: UUID, encoded: bytes
    ) -> NewJob:
        """Return the plan before a runner is chosen: what the handler and the options say."""
        retry = DEFAULT_RETRY if definition is None else definition.retry
        own_priority = 0 if definition is None else definition.priority
        job_id = options.job_id or uuid7()
        return NewJob(
            job_id=job_id,
            tenant=tenant,
            name=name,
            payload=self._codec.encode(encoded, tenant=tenant, job_id=job_id),
            runner_type=self._runners.default,
            queue=self._announced.queue_of(name) if definition is None else definition.queue,
            priority=own_priority if options.priority is None else options.priority,
            run_at=options.run_at,
            delay=options.delay,
            max_attempts=options.max_attempts or retry.max_attempts,
            retry_delay=retry.initial_interval,
            retry_backoff=retry.backoff_coefficient,
            retry_delay_max=retry.max_interval,
            timeout=DEFAULT_TIMEOUT if definition is None else definition.timeout,
            user_id=options.user_id,
            metadata=options.metadata,
            dedupe_key=options.dedupe_key,
            parent_job_id=options.parent_job_id,
        )

    def _rules_of(self, name: str, definition: AnyHandler | None) -> FlowRules:
        """Return the handler's flow control, as it stands here or as a live worker announced it."""
        if definition is None:
            return self._announced.flow_of(name)
        return FlowRules(definition.limits, definition.dedupe)

    def _routed(self, plan: NewJob, definition: AnyHandler | None, explicit: str | None) -> NewJob:
        runner = self._runners.name_for(
            plan, explicit=explicit, handler=None if definition is None else definition.runner
        )
        told = definition.engines.get(runner) if definition is not None and definition.engines else None
        if told:
            return replace(plan, runner_type=runner, engine_options=told)
        return plan if runner == plan.runner_type else replace(plan, runner_type=runner)

    def _require_capabilities(self, plan: NewJob, definition: AnyHandler | None, options: CheckedOptions) -> None:
        able = self._runners.capabilities(plan.runner_type)
        if not able.delayed and (plan.delay is not None or plan.run_at is not None):
            self._refuse(plan, "delayed")
        if not able.priority and plan.priority != 0:
            self._refuse(plan, "priority")
        if not able.flow_control and (plan.admission is not None or plan.on_conflict is not OnConflict.SKIP):
            self._refuse(plan, "flow_control")
        if not able.transactional_enqueue and options.connection is not None:
            self._refuse(plan, "transactional_enqueue")
        if definition is not None and definition.execution.value not in able.executions:
            self._refuse(plan, "executions")

    def _refuse(self, plan: NewJob, capability: str) -> NoReturn:
        raise CapabilityError(
            f"Job {plan.name!r}: the runner {plan.runner_type!r} lacks the capability {capability!r} "
            f"({_MEANING[capability]}). Leave the request out, or name another runner."
        )


def _backing_off(plan: NewJob, definition: AnyHandler | None, schedule: Schedule) -> NewJob:
    """Return the plan with the schedule's first delay between attempts, if it has one."""
    if schedule.backoff is None:
        return plan
    retry = (DEFAULT_RETRY if definition is None else definition.retry).beginning_with(schedule.backoff)
    return replace(plan, retry_delay=retry.initial_interval, retry_delay_max=retry.max_interval)


_MEANING = {
    "delayed": "running a job later",
    "recurring": "running a job again and again",
    "priority": "preferring one job to another",
    "flow_control": "letting jobs wait for limits or for other jobs, or take their places",
    "transactional_enqueue": "enqueueing within the caller's own transaction",
    "executions": "this handler's execution, thread or process",
}
