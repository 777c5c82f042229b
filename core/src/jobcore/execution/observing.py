"""Observers as one: each is told, and one that raises changes nothing.

Whatever it raises: an observer is called and returns at once, so that even a `CancelledError` is its own, and a
`SystemExit` of one library must not end the worker. Only a `KeyboardInterrupt`, which may be the operator's, passes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from jobcore.execution import logs
from jobcore.models import Claim, Enqueued, NewJob, Settlement
from jobcore.ports.observer import Observer

NOBODY = Observer()
"""Whoever is told where nobody listens."""


def compose_observers(observers: Iterable[Observer], logger: logging.Logger = logs.ROOT) -> Observer:
    """Return one observer that tells all of `observers`, in their order; what they raise is logged. `NOBODY`, if there
    are none."""
    told = tuple(observers)
    return _Observers(told, logger) if told else NOBODY


class _Observers(Observer):
    def __init__(self, observers: tuple[Observer, ...], logger: logging.Logger) -> None:
        self._observers = observers
        self._logger = logger

    def job_enqueued(self, job: NewJob, enqueued: Enqueued) -> None:
        self._tell("job_enqueued", job, enqueued)

    def job_started(self, claim: Claim) -> None:
        self._tell("job_started", claim)

    def job_settled(self, settlement: Settlement, applied: bool) -> None:
        self._tell("job_settled", settlement, applied)

    def jobs_rescued(self, runner_type: str, job_ids: Sequence[str]) -> None:
        self._tell("jobs_rescued", runner_type, job_ids)

    def runner_degraded(self, runner_type: str, reason: str) -> None:
        self._tell("runner_degraded", runner_type, reason)

    def runner_recovered(self, runner_type: str) -> None:
        self._tell("runner_recovered", runner_type)

    def _tell(self, what: str, *facts: Any) -> None:
        for observer in self._observers:
            try:
                getattr(observer, what)(*facts)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - an observer that raises changes nothing
                logs.observer_failed(self._logger, observer, what, error)
