"""The schedules for code that blocks: the twin of `app.schedules`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from jobcore.app.blocking_handle import BlockingJobHandle
from jobcore.app.loop_thread import LoopThread
from jobcore.app.schedules import Schedules
from jobcore.handlers.registry import AnyHandler
from jobcore.models import MissedFires, Overlap, Schedule


class BlockingSchedules:
    """The face `app.schedules` of a `BlockingJobApp`; every call waits for its answer, and raises as its twin."""

    def __init__(self, loop: LoopThread, opened: Callable[[], Schedules]) -> None:
        self._loop = loop
        self._opened = opened

    def put(
        self,
        key: str,
        job: AnyHandler | str,
        when: str | timedelta,
        data: Any = None,
        *,
        tenant: UUID | str | None = None,
        name: str | None = None,
        timezone: str = "UTC",
        enabled: bool = True,
        max_attempts: int | None = None,
        backoff: timedelta | float | None = None,
        missed: MissedFires | str = MissedFires.LATEST,
        missed_limit: int = 100,
        overlap: Overlap | str = Overlap.ALLOW,
        jitter: timedelta | float | None = None,
        runner: str | None = None,
        remote: bool = False,
    ) -> Schedule:
        return self._loop.run(
            self._opened().put(
                key,
                job,
                when,
                data,
                tenant=tenant,
                name=name,
                timezone=timezone,
                enabled=enabled,
                max_attempts=max_attempts,
                backoff=backoff,
                missed=missed,
                missed_limit=missed_limit,
                overlap=overlap,
                jitter=jitter,
                runner=runner,
                remote=remote,
            )
        )

    def get(self, tenant: UUID | str, key: str) -> Schedule:
        return self._loop.run(self._opened().get(tenant, key))

    def list(self, tenant: UUID | str | None = None) -> Sequence[Schedule]:
        return self._loop.run(self._opened().list(tenant))

    def pause(self, tenant: UUID | str, key: str) -> Schedule:
        return self._loop.run(self._opened().pause(tenant, key))

    def resume(self, tenant: UUID | str, key: str) -> Schedule:
        return self._loop.run(self._opened().resume(tenant, key))

    def remove(self, tenant: UUID | str, key: str) -> bool:
        return self._loop.run(self._opened().remove(tenant, key))

    def trigger(self, tenant: UUID | str, key: str) -> BlockingJobHandle[Any]:
        return BlockingJobHandle(self._loop, self._loop.run(self._opened().trigger(tenant, key)))
