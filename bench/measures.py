"""The measures of one peer. Each works on a fresh database and returns figures by name."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import psycopg

from bench.catalog import Peer
from bench.counting import count_runs
from bench.link import PeerFailedError, PeerProcess

Figures = dict[str, float]
ONE_QUEUE = ["bench-00"]
MANY_QUEUES = [f"bench-{number:02}" for number in range(50)]
IDLE_EVERY = 25.0
"""Jobs a second, one every 40 ms: each finds the worker idle."""
STEADY = 200.0
WARM_UP = 20
"""Jobs whose latency is not counted."""
PATIENCE = 500.0
SETTLED_WITHIN = 60.0


@dataclass(frozen=True)
class Drain:
    """How one worker process emptied the queue."""

    per_second: float
    cpu_seconds: float
    memory_mb: float


@dataclass(frozen=True)
class Size:
    """How much is done in one round."""

    drain: int
    enqueue: int
    idle: int
    steady_seconds: float
    memory: int
    backlog: int


SHORT = Size(drain=20_000, enqueue=1_000, idle=100, steady_seconds=5, memory=0, backlog=0)
FULL = Size(drain=20_000, enqueue=3_000, idle=300, steady_seconds=20, memory=100_000, backlog=500_000)


class MiscountError(Exception):
    """A peer lost a job, or ran one twice: its figures count for nothing."""


class Bench:
    """One peer on one database."""

    def __init__(self, peer: Peer, dsn: str, size: Size, log: Path) -> None:
        self._peer = peer
        self._dsn = dsn
        self._size = size
        self._log = log
        self._prepared: set[str] = set()

    def measure(self, name: str) -> Figures:
        """Take one of the measures of `peers.toml`. Raises PeerFailedError and MiscountError."""
        take: Callable[[], Figures] = getattr(self, f"_{name}")
        return take()

    def _latency(self) -> Figures:
        idle = self._paced(self._size.idle + WARM_UP, IDLE_EVERY)
        steady = self._paced(int(self._size.steady_seconds * STEADY), STEADY)
        return {f"idle_{name}": value for name, value in idle.items()} | {
            f"steady_{name}": value for name, value in steady.items()
        }

    def _enqueue(self) -> Figures:
        one, ten = self._size.enqueue, 3 * self._size.enqueue
        with self._client(ONE_QUEUE, callers=1) as client:
            alone = client.ask("enqueue", first=0, count=one, callers=1)["seconds"]
        with self._client(ONE_QUEUE, callers=10) as client:
            together = client.ask("enqueue", first=one, count=ten, callers=10)["seconds"]
        self._drain_all(ONE_QUEUE, one + ten)
        return {"enqueue_one_per_s": one / alone, "enqueue_ten_per_s": ten / together}

    def _drain(self) -> Figures:
        count = self._jobs(self._size.drain)
        filled = self._fill(ONE_QUEUE, count)
        drain = self._drain_all(ONE_QUEUE, count)
        return {
            "bulk_per_s": count / filled,
            "drain_per_s": drain.per_second,
            "worker_cpu_s_per_10k": drain.cpu_seconds / count * 10_000,
        }

    def _many_queues(self) -> Figures:
        count = self._jobs(self._size.drain)
        self._fill(MANY_QUEUES, count)
        return {"drain_50_queues_per_s": self._drain_all(MANY_QUEUES, count).per_second}

    def _memory(self) -> Figures:
        count = self._jobs(self._size.memory)
        if not count:
            return {}
        self._fill(ONE_QUEUE, count)
        return {"memory_mb": self._drain_all(ONE_QUEUE, count).memory_mb}

    def _backlog(self) -> Figures:
        """Drain 20,000 while 500,000 more wait behind them; by the handlers' starts, since nothing is ever finished."""
        if not self._size.backlog or self._peer.jobs_share < 1:
            return {}
        wanted = self._size.drain
        self._fill(ONE_QUEUE, self._size.backlog + wanted)
        with self._worker(ONE_QUEUE, self._size.backlog + wanted) as worker:
            worker.ask("work", queues=ONE_QUEUE)
            self._wait_for(worker, wanted)
            starts = sorted(filter(None, self._counted(worker, some_missing=True)))
        return {"drain_backlog_per_s": wanted / (starts[wanted - 1] - starts[0])}

    def _fill(self, queues: list[str], count: int) -> float:
        """Enqueue in bulk; return the seconds it took."""
        with self._client(queues, callers=1) as client:
            seconds = client.ask("bulk", first=0, count=count)["seconds"]
        self._settle_down()
        return float(seconds)

    def _drain_all(self, queues: list[str], count: int) -> Drain:
        """From the first handler's start until the database says that nothing is unfinished."""
        with self._worker(queues, count) as worker:
            before = worker.ask("usage")
            worker.ask("work", queues=queues)
            self._wait_for(worker, count)
            ended = self._all_settled()
            after = worker.ask("usage")
            worker.ask("stop")
            starts = self._counted(worker)
        return Drain(
            per_second=count / (ended - min(starts)),
            cpu_seconds=after["cpu_seconds"] - before["cpu_seconds"],
            memory_mb=after["memory_mb"],
        )

    def _paced(self, count: int, per_second: float) -> Figures:
        """The wait from the enqueue's return, its commit, to the handler's start; and the same from its call."""
        with self._worker(ONE_QUEUE, count) as worker, self._client(ONE_QUEUE, callers=10) as client:
            worker.ask("work", queues=ONE_QUEUE)
            sent = client.ask("pace", first=0, count=count, per_second=per_second)
            self._wait_for(worker, count)
            worker.ask("stop")
            starts = self._counted(worker)
        from_commit = [start - then for start, then in zip(starts, sent["returned"], strict=True)][WARM_UP:]
        from_call = [start - then for start, then in zip(starts, sent["called"], strict=True)][WARM_UP:]
        return {**_percentiles(from_commit, "commit_to_start"), **_percentiles(from_call, "call_to_start")}

    @contextmanager
    def _client(self, queues: list[str], callers: int) -> Generator[PeerProcess]:
        with PeerProcess(self._peer, self._dsn, self._log) as client:
            if not self._prepared.issuperset(queues):
                client.ask("prepare", queues=queues)
                self._prepared.update(queues)
            client.ask("open", queues=queues, callers=callers)
            yield client
            client.ask("close")

    @contextmanager
    def _worker(self, queues: list[str], count: int) -> Generator[PeerProcess]:
        with PeerProcess(self._peer, self._dsn, self._log) as worker:
            if not self._prepared.issuperset(queues):
                worker.ask("prepare", queues=queues)
                self._prepared.update(queues)
            worker.ask("expect", count=count)
            yield worker

    def _wait_for(self, worker: PeerProcess, count: int) -> None:
        if not worker.ask("reached", count=count, seconds=PATIENCE)["reached"]:
            self._counted(worker)

    def _counted(self, worker: PeerProcess, *, some_missing: bool = False) -> list[float]:
        """When each job began. Raises MiscountError unless every one ran once."""
        seen = worker.ask("counts")
        count = count_runs(seen["counts"])
        if count.doubled or (count.missing and not some_missing):
            raise MiscountError(f"{self._peer.name}: {count}.")
        return seen["starts"]

    def _all_settled(self) -> float:
        """Wait until the peer's own tables hold no unfinished job; return when that was."""
        latest = time.perf_counter() + SETTLED_WITHIN
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            while self._peer.unfinished and _first(connection, self._peer.unfinished):
                if time.perf_counter() > latest:
                    raise PeerFailedError(f"{self._peer.name} left jobs unfinished that had run.")
                time.sleep(0.005)
        return time.perf_counter()

    def _settle_down(self) -> None:
        """What was filled is on disk and analysed before a drain begins, for every peer alike."""
        with psycopg.connect(self._dsn, autocommit=True) as connection:
            connection.execute("vacuum (analyze)")
            connection.execute("checkpoint")

    def _jobs(self, count: int) -> int:
        return int(count * self._peer.jobs_share)


def _first(connection: psycopg.Connection, question: str) -> bool:
    row = connection.execute(question.encode()).fetchone()
    return row is not None and bool(row[0])


def _percentiles(seconds: list[float], name: str) -> Figures:
    cuts = quantiles(seconds, n=100)
    return {f"{name}_p50_ms": cuts[49] * 1e3, f"{name}_p99_ms": cuts[98] * 1e3}
