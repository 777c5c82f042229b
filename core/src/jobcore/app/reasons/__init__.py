"""The reasons that core finds on every engine, one a file; registered as any plugin's are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobcore.app.reasons.dedupe_key import HoldsDedupeKey
from jobcore.app.reasons.ended import HasEnded
from jobcore.app.reasons.fair_share import WaitsForItsShare
from jobcore.app.reasons.limit import LimitIsFull
from jobcore.app.reasons.no_handler import NoHandler
from jobcore.app.reasons.no_worker import NoWorker
from jobcore.app.reasons.not_due import NotDue
from jobcore.app.reasons.not_enqueued import NotEnqueued
from jobcore.app.reasons.other_runner import OtherRunner
from jobcore.app.reasons.paused import IsPaused
from jobcore.app.reasons.payload import PayloadDoesNotFit
from jobcore.app.reasons.rate import RateIsUsedUp
from jobcore.app.reasons.running import IsRunning
from jobcore.app.reasons.waits_for_jobs import WaitsForJobs
from jobcore.plugins.hooks import hookimpl

if TYPE_CHECKING:
    from jobcore.plugins.registries import ReasonRegistry

__all__ = ["CoreReasons"]


class CoreReasons:
    """Core's own plugin of reasons."""

    @hookimpl
    def jobcore_register_reasons(self, registry: ReasonRegistry) -> None:
        registry.add("ended", HasEnded())
        registry.add("running", IsRunning())
        registry.add("not_enqueued", NotEnqueued())
        registry.add("not_due", NotDue())
        registry.add("paused", IsPaused())
        registry.add("waits_for_jobs", WaitsForJobs())
        registry.add("limit", LimitIsFull())
        registry.add("rate", RateIsUsedUp())
        registry.add("fair_share", WaitsForItsShare())
        registry.add("no_worker", NoWorker())
        registry.add("no_handler", NoHandler())
        registry.add("payload", PayloadDoesNotFit())
        registry.add("other_runner", OtherRunner())
        registry.add("dedupe_key", HoldsDedupeKey())
