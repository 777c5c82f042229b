"""The jobs of one large call, alike but for whose they are and what they say, and answers to them: no object for
each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar, overload
from uuid import UUID

from jobcore.models.jobs import NewJob

ItemT_co = TypeVar("ItemT_co", covariant=True)


class AlikeJobs(Iterable[NewJob]):
    """Jobs that differ in their ids, tenants and payloads only, planned as they are asked for.

    Whoever iterates gets jobs like any others. A runner that stores by columns calls `plan_next`, and finds what has
    been planned in `ids`, `tenants` and `payloads`, without an object for each job.

    Args:
        common: says all else of each of them.
        coming: the id, tenant and payload of each; what it raises comes out where the next is asked for.
    """

    __slots__ = ("_coming", "_error", "common", "ids", "payloads", "tenants")

    def __init__(self, common: NewJob, coming: Iterable[tuple[UUID, UUID, bytes]]) -> None:
        self.common = common
        self.ids: list[UUID] = []
        self.tenants: list[UUID] = []
        self.payloads: list[bytes] = []
        self._coming = iter(coming)
        self._error: Exception | None = None

    def plan_next(self) -> bool:
        """Plan one more; false at the end. Raises what the making of a payload raised, again and again: a second reader
        is not to take what came before for all."""
        if self._error is not None:
            raise self._error
        try:
            planned = next(self._coming, None)
        except Exception as error:
            self._error = error
            raise
        if planned is None:
            return False
        job_id, tenant, payload = planned
        self.ids.append(job_id)
        self.tenants.append(tenant)
        self.payloads.append(payload)
        return True

    def planned_from(self, begin: int) -> AlikeJobs:
        """Return those that have been planned, from the position `begin` on."""
        part = AlikeJobs(self.common, ())
        part.ids, part.tenants, part.payloads = self.ids[begin:], self.tenants[begin:], self.payloads[begin:]
        return part

    def __iter__(self) -> Iterator[NewJob]:
        """Yield those that have been planned, then those to come."""
        position = 0
        while position < len(self.ids) or self.plan_next():
            yield replace(
                self.common,
                job_id=self.ids[position],
                tenant=self.tenants[position],
                payload=self.payloads[position],
            )
            position += 1


class OnDemand(Sequence[ItemT_co]):
    """A sequence whose items are made each time they are read: nothing is kept for those that nobody reads.

    Args:
        length: how many items there are.
        make: returns the item at a position, from 0.
    """

    __slots__ = ("_make", "_positions")

    def __init__(self, length: int, make: Callable[[int], ItemT_co]) -> None:
        self._positions = range(length)
        self._make = make

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, index: int) -> ItemT_co: ...

    @overload
    def __getitem__(self, index: slice) -> list[ItemT_co]: ...

    def __getitem__(self, index: int | slice) -> ItemT_co | list[ItemT_co]:
        chosen = self._positions[index]
        return [self._make(position) for position in chosen] if isinstance(chosen, range) else self._make(chosen)

    def __iter__(self) -> Iterator[ItemT_co]:
        return map(self._make, self._positions)

    def __repr__(self) -> str:
        return f"<{len(self)} items, made on demand>"
