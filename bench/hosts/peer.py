"""The process in which a Python peer enqueues or works. Runs in that peer's own environment: standard library only.

    python peer.py ADAPTER_FILE OPTIONS_JSON

Reads one command a line from standard input, `{"command": "bulk", "first": 0, "count": 1000}`, and answers with one
line that begins with `@`; whatever else a library prints is passed over by the harness.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import resource
import sys
import time
import traceback
from array import array
from pathlib import Path
from typing import Any

CUSTOMER = "Example & Sons, 1 High Street, Anytown"
TENANT = "11111111-1111-7111-8111-111111111111"
BULK = 1000
"""Jobs in one bulk call."""


class Seen:
    """How often each job's handler ran, and when it last began."""

    def __init__(self) -> None:
        self.counts = array("I")
        self.starts = array("d")
        self.total = 0
        self._wanted = 0
        self._reached = asyncio.Event()

    def expect(self, count: int) -> None:
        """Forget everything; the jobs from now on have the numbers 0 to count - 1."""
        self.counts = array("I", bytes(4 * count))
        self.starts = array("d", bytes(8 * count))
        self.total = 0
        self._wanted = count
        self._reached.clear()

    def mark(self, number: int) -> None:
        """Called by every handler, first thing."""
        self.starts[number] = time.perf_counter()
        self.counts[number] += 1
        self.total += 1
        if self.total >= self._wanted:
            self._reached.set()

    async def reached(self, count: int, seconds: float) -> bool:
        self._wanted = count
        if self.total >= count:
            return True
        try:
            await asyncio.wait_for(self._reached.wait(), seconds)
        except TimeoutError:
            return False
        return True


class Host:
    """Obeys the harness's commands, one at a time, while the peer's worker may run beside."""

    def __init__(self, peer: Any, seen: Seen) -> None:
        self._peer = peer
        self._seen = seen
        self._queues: list[str] = []

    async def prepare(self, queues: list[str]) -> None:
        """Make the peer's tables and queues."""
        self._queues = queues
        await self._peer.prepare(queues)

    async def open(self, queues: list[str], callers: int) -> None:
        """Connect as a client with so many callers at once."""
        self._queues = queues
        await self._peer.open(queues, callers)

    async def close(self) -> None:
        await self._peer.close()

    async def enqueue(self, first: int, count: int, callers: int) -> dict[str, float]:
        begin = time.perf_counter()

        async def caller(start: int) -> None:
            for number in range(first + start, first + count, callers):
                await self._peer.enqueue(self._queue(number), payload(number))

        await asyncio.gather(*(caller(start) for start in range(callers)))
        return {"seconds": time.perf_counter() - begin}

    async def bulk(self, first: int, count: int) -> dict[str, float]:
        """Enqueue in calls of 1,000; with several queues, each call goes to one of them."""
        begin = time.perf_counter()
        for start in range(first, first + count, BULK):
            numbers = range(start, min(first + count, start + BULK))
            for index, queue in enumerate(self._queues):
                share = [payload(number) for number in numbers[index :: len(self._queues)]]
                if share:
                    await self._peer.enqueue_bulk(queue, share)
        return {"seconds": time.perf_counter() - begin}

    async def pace(self, first: int, count: int, per_second: float) -> dict[str, list[float]]:
        """Enqueue on schedule, whether the call before has returned or not."""
        called, returned = [0.0] * count, [0.0] * count

        async def one(index: int) -> None:
            number = first + index
            called[index] = time.perf_counter()
            await self._peer.enqueue(self._queue(number), payload(number))
            returned[index] = time.perf_counter()

        begin = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for index in range(count):
                await asyncio.sleep(begin + index / per_second - time.perf_counter())
                group.create_task(one(index))
        return {"called": called, "returned": returned}

    async def expect(self, count: int) -> None:
        self._seen.expect(count)

    async def work(self, queues: list[str]) -> None:
        """Start the peer's worker, and return when it is ready or about to be."""
        await self._peer.start_worker(queues, self._seen.mark)

    async def reached(self, count: int, seconds: float) -> dict[str, Any]:
        return {"reached": await self._seen.reached(count, seconds)}

    async def stop(self) -> None:
        await self._peer.stop_worker()

    async def counts(self) -> dict[str, Any]:
        return {"counts": self._seen.counts.tolist(), "starts": self._seen.starts.tolist()}

    async def usage(self) -> dict[str, float]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {"cpu_seconds": used.ru_utime + used.ru_stime, "memory_mb": memory_mb()}

    def _queue(self, number: int) -> str:
        return self._queues[number % len(self._queues)]


def payload(number: int) -> dict[str, Any]:
    """About 120 bytes of JSON."""
    return {"tenantId": TENANT, "number": number, "customer": CUSTOMER}


def memory_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def serve(adapter: Path, options: dict[str, Any]) -> None:
    spec = importlib.util.spec_from_file_location(f"adapter_{adapter.stem}", adapter)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module  # types in annotations are looked up there
    spec.loader.exec_module(module)
    host = Host(module.Peer(**options), Seen())
    lines = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        request = json.loads(line)
        try:
            answer = await getattr(host, request.pop("command"))(**request) or {}
        except Exception:  # noqa: BLE001 - told to the harness, which decides
            answer = {"error": traceback.format_exc()}
        sys.stdout.write("@" + json.dumps(answer) + "\n")
        sys.stdout.flush()


def main() -> None:
    work = serve(Path(sys.argv[1]), json.loads(sys.argv[2]))
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:  # it came with the peer, whose own command uses it
        uvloop.run(work)


if __name__ == "__main__":
    main()
