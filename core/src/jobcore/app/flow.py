"""The part of a plan that is flow control: what a job has to pass first, and what it does with others of its key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from jobcore.app.announced import FlowRules
from jobcore.app.options import CheckedOptions
from jobcore.errors import InputError
from jobcore.handlers.payload import decode_json
from jobcore.models import Admission, Gate, NewJob, OnConflict
from jobcore.policies.limits import Concurrency, Subject, bounded_name


def flow_controlled(plan: NewJob, rules: FlowRules, options: CheckedOptions, encoded: bytes) -> NewJob:
    """Return the plan with what holds the job up, if there is anything.

    Args:
        rules: what the handler says of its jobs.
        encoded: the payload as plain JSON text.

    Raises:
        InputError: if the payload has no key that a limit asks for, or the options do not fit one another.
    """
    limits, dedupe = rules.limits, rules.dedupe
    if options.tier is not None and not any(isinstance(limit, Concurrency) and limit.tiers for limit in limits):
        raise InputError(f"Job {plan.name!r} has no tiers: tier={options.tier!r} would change nothing.")
    if not limits and not options.after and dedupe is None and options.on_conflict is None:
        return plan
    document: Mapping[str, Any] = decode_json(encoded)
    if dedupe is not None and plan.dedupe_key is None:
        plan = replace(plan, dedupe_key=dedupe.key_in(plan.name, document))
    rule, window = options.on_conflict, options.window
    if rule is None and dedupe is not None:
        rule, window = OnConflict(dedupe.on_conflict), dedupe.window
    subject = Subject(plan.name, plan.queue, plan.tenant, document, options.tier)
    gates = tuple(limit.gate(subject) for limit in limits)
    plan, gate = _by_rule(plan, rule or OnConflict.SKIP, window)
    if gate is not None:
        gates = (*gates, gate)
    if not gates and not options.after:
        return plan
    return replace(plan, admission=Admission(gates=gates, after=options.after))


def _by_rule(plan: NewJob, rule: OnConflict, window: timedelta | None) -> tuple[NewJob, Gate | None]:
    """Return the plan as the store understands it: a debounce is a delay, and a queue a gate."""
    if rule is OnConflict.QUEUE:
        name = bounded_name(f"queue/{plan.name}/{plan.tenant}/{plan.dedupe_key}")
        return replace(plan, dedupe_key=None), Gate(name=name, limit=1)
    if rule is OnConflict.DEBOUNCE:
        if plan.delay is not None or plan.run_at is not None:
            raise InputError("A debounced job waits for its window; it takes neither delay nor run_at.")
        return replace(plan, on_conflict=OnConflict.REPLACE, delay=window), None
    return replace(plan, on_conflict=rule, window=window), None
