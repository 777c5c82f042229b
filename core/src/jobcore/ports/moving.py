"""The part of the store that moves jobs and schedules between engines. A storage of one engine has no use for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn
from uuid import UUID

from jobcore.errors import CapabilityError
from jobcore.models import Movable, Move, MovedJob


class MovingStore:
    """Each call is one transaction, short, and safe to repeat: what has been moved is not there any more.

    As it stands here, a storage cannot: every call raises `CapabilityError`.
    """

    storage_type: str

    async def count_movable(self, source: str, tenant: UUID | None = None) -> Movable:  # noqa: ARG002 - for others
        """Count what an engine has, by handler."""
        self._refuse()

    async def move_jobs(self, move: Move, after: tuple[UUID, UUID] | None = None) -> Sequence[MovedJob]:  # noqa: ARG002
        """Look at some jobs that have not begun, and move those that can be; nothing is returned at the end of them.

        A moved job keeps its attempts, its time, its keys and its place in line, under a raised epoch: whatever the
        engine that it leaves still does with it changes nothing.

        Args:
            after: the last one of the page before, by tenant and job id.
        """
        self._refuse()

    async def move_schedules(self, move: Move) -> Mapping[str, int]:  # noqa: ARG002
        """Let some schedules that name the source name the target; return how many of each handler did, none at the
        end. One that is being fired at this moment is passed by."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise CapabilityError(
            f"The storage {self.storage_type!r} lacks the capability 'moving' (from one runner to another): "
            "let the jobs that wait end where they are, and enqueue new ones elsewhere."
        )
