"""How many jobs a worker runs at a time over all its task queues, while it goes on asking each of them for more.

The SDK wants a slot before it asks a task queue, and keeps it for as long as the answer takes, which is a minute where
there is no job. If such questions counted as jobs, idle task queues would hold the places that busy ones need; if they
did not, each could bring a job more than there are places. So they count only where there is a choice: each task queue
has a question out as long as there is a place, and what comes too many waits a moment and goes back to Temporal.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque

from temporalio.worker import (
    CustomSlotSupplier,
    SlotMarkUsedContext,
    SlotPermit,
    SlotReleaseContext,
    SlotReserveContext,
)

FRESH = 0.1
"""Seconds within which a question brings a job if there is one: so long it counts as one."""
BRIEFLY = 0.1
"""Seconds that a job waits for a place: others' workers may have one."""


class QueueSlots(CustomSlotSupplier):
    """The slots of one task queue, released from any thread. They are reserved on the worker's own event loop: with the
    SDK's slots its pollers, which are threads of their own, would go on taking jobs that nobody begins while the loop
    stands still."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self.asking: dict[SlotPermit, float] = {}
        """The questions that are out, and since when."""
        self.used: set[SlotPermit] = set()
        """What runs: jobs, and whatever else the task queue had."""

    async def reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit:  # noqa: ARG002 - the SDK's signature
        """Wait until the task queue may be asked."""
        return await self._places.wait_to_ask(self)

    def try_reserve_slot(self, ctx: SlotReserveContext) -> SlotPermit | None:  # noqa: ARG002
        """Take a slot for an eager task, if there is room besides all questions."""
        return self._places.ask_besides(self)

    def mark_slot_used(self, ctx: SlotMarkUsedContext) -> None:
        """A question has brought a task."""
        self._places.brought(self, ctx.permit)

    def release_slot(self, ctx: SlotReleaseContext) -> None:
        """A task is done, or a question has brought nothing."""
        self._places.left(self, ctx.permit)


class Places:
    """The places of one worker. Waited for on its event loop; the SDK tells of the rest from threads of its own."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._lock = threading.RLock()
        self._slots: set[QueueSlots] = set()
        self._to_ask: deque[tuple[QueueSlots, asyncio.Future[SlotPermit]]] = deque()
        self._to_begin: deque[asyncio.Future[None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._later: asyncio.TimerHandle | None = None

    def open(self) -> QueueSlots:
        """Return the slots of one more task queue."""
        slots = QueueSlots(self)
        self._slots.add(slots)
        return slots

    def close(self, slots: QueueSlots) -> None:
        """Forget the slots of a task queue, and what the SDK has not given back of them."""
        with self._lock:
            self._slots.discard(slots)
        self._deal()

    def resize(self, number: int) -> None:
        """Have so many places from now on; where more are taken, none is given until enough have come back."""
        self._number = number
        self._deal()

    async def wait_to_begin(self) -> bool:
        """Wait a moment for a place for a job that a task queue has brought; return whether there is one."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._to_begin.append(waiting)
        self._deal()
        try:
            async with asyncio.timeout(BRIEFLY):
                await waiting
        except TimeoutError:
            return False
        finally:
            if waiting in self._to_begin:
                self._to_begin.remove(waiting)
        return True

    async def wait_to_ask(self, slots: QueueSlots) -> SlotPermit:
        """Wait for a slot for a question, in turn."""
        self._loop = asyncio.get_running_loop()
        waiting: asyncio.Future[SlotPermit] = self._loop.create_future()
        self._to_ask.append((slots, waiting))
        self._deal()
        try:
            return await waiting
        except asyncio.CancelledError:
            if waiting.done() and not waiting.cancelled():
                self.left(slots, waiting.result())
            raise

    def ask_besides(self, slots: QueueSlots) -> SlotPermit | None:
        """Return a slot if there is room for it and for what all questions may bring."""
        with self._lock:
            return self._ask(slots) if self._has_room_besides else None

    def brought(self, slots: QueueSlots, permit: SlotPermit) -> None:
        """A question has brought a task."""
        with self._lock:
            if slots.asking.pop(permit, None) is not None:
                slots.used.add(permit)

    def left(self, slots: QueueSlots, permit: SlotPermit) -> None:
        """A slot is free again."""
        with self._lock:
            slots.asking.pop(permit, None)
            slots.used.discard(permit)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._deal)

    def _deal(self) -> None:
        """Give what there is to whoever waits: jobs that have come first, then questions, each in their order."""
        with self._lock:
            while self._to_begin and self._running < self._number:
                if not (begins := self._to_begin.popleft()).done():  # its time may be over this very moment
                    begins.set_result(None)
            for _ in range(len(self._to_ask)):
                slots, waiting = self._to_ask.popleft()
                if waiting.done():
                    continue
                if self._may_ask(slots):
                    waiting.set_result(self._ask(slots))
                else:
                    self._to_ask.append((slots, waiting))
            if self._to_ask and self._fresh and self._loop is not None and self._later is None:
                self._later = self._loop.call_later(FRESH, self._deal_again)

    def _deal_again(self) -> None:
        self._later = None
        self._deal()

    def _ask(self, slots: QueueSlots) -> SlotPermit:
        permit = SlotPermit()
        slots.asking[permit] = time.monotonic()
        return permit

    def _may_ask(self, slots: QueueSlots) -> bool:
        return self._has_room_besides or (not slots.asking and self._used + self._fresh < self._number)

    @property
    def _has_room_besides(self) -> bool:
        """Whether there is a place though every question should bring a job."""
        return self._used + sum(len(slots.asking) for slots in self._slots) < self._number

    @property
    def _used(self) -> int:
        return sum(len(slots.used) for slots in self._slots)

    @property
    def _running(self) -> int:
        return self._used - len(self._to_begin)

    @property
    def _fresh(self) -> int:
        """How many questions are so young that they may bring a job any moment."""
        since = time.monotonic() - FRESH
        return sum(asked > since for slots in self._slots for asked in slots.asking.values())
