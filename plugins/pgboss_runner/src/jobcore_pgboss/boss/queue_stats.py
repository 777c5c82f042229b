"""How full queues are, and how fast their jobs go through."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from jobcore.errors import InputError, NaiveDatetimeError
from jobcore_pgboss.boss.desk import Verbs
from jobcore_pgboss.boss.errors import QueueNotFoundError
from jobcore_pgboss.boss.models import instant, instant_or_none
from jobcore_pgboss.boss.options import check_limit, check_queue_name

FRESH = 3_600
FRESH_IF_FORCED = 60
"""Seconds for which counts stay good: pg-boss's measure."""
SHORTEST_LATENCY = 0.01
"""Seconds: the upper end of a histogram's first slot. Each further one is wider than the one before by √2."""

Aggregate = Literal["max", "min", "avg"]


@dataclass(frozen=True, slots=True)
class QueueStatsPercentile:
    """Below which time so many percent of the jobs stay, in seconds; `None` where no histogram tells."""

    p: float
    wait_seconds: float | None
    run_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStats:
    """A queue at one time. What follows `total_count` is told only by what Node recorded, since version 43."""

    name: str
    deferred_count: int
    queued_count: int
    ready_count: int
    active_count: int
    failed_count: int
    total_count: int
    completed_delta: int | None
    """How many jobs completed in the `delta_seconds` before `delta_on`."""
    failed_delta: int | None
    created_delta: int | None
    delta_seconds: int | None
    delta_on: datetime | None
    wait_bins: Sequence[int] | None
    """How long those that ended had waited: 48 counts."""
    run_bins: Sequence[int] | None
    ready_oldest_seconds: int | None
    percentiles: Sequence[QueueStatsPercentile]
    """Those that were asked for."""
    captured_on: datetime


class QueueStatsVerbs(Verbs):
    """`get_queue_stats`."""

    async def get_queue_stats(
        self,
        name: str,
        *,
        force: bool = False,
        recorded: bool = False,
        from_: datetime | None = None,
        to: datetime | None = None,
        limit: int = 1_000,
        bucket_seconds: int | None = None,
        max_data_points: int | None = None,
        aggregate: Aggregate = "max",
        percentiles: Sequence[float] = (),
    ) -> list[QueueStats]:
        """Return how full a queue is: one snapshot, at most an hour old; or what Node recorded, the newest first.

        Args:
            name: the queue.
            force: let the snapshot be at most a minute old.
            recorded: what instances of Node with `persistQueueStats` recorded; the arguments below are about this.
            from_, to: from when to when.
            limit: how many at most, up to 100,000.
            bucket_seconds: one for each so many seconds.
            max_data_points: buckets so wide that there are about so many.
            aggregate: what of the counts in a bucket.
            percentiles: which to read from the histograms, from 1 to 100.

        Raises:
            InputError, NaiveDatetimeError: if an argument cannot be meant.
            QueueNotFoundError: if there is no such queue.
        """
        check_queue_name(name)
        if not recorded and any(each is not None for each in (from_, to, bucket_seconds, max_data_points)):
            raise InputError("get_queue_stats: these arguments are about what was recorded: add recorded=True.")
        percents = list(dict.fromkeys(percentiles))
        if not all(1 <= p <= 100 for p in percents):
            raise InputError("get_queue_stats: percentiles must be percents from 1 to 100, such as [50, 95].")
        if recorded:
            verb, wanted = _series(
                from_,
                to,
                limit,
                bucket_seconds=bucket_seconds,
                max_data_points=max_data_points,
                aggregate=aggregate,
            )
            rows = await self._desk.ask(verb, name, wanted)
        else:
            row = await self._desk.ask("get_queue_stats", name, FRESH_IF_FORCED if force else FRESH)
            rows = row and [row]
        if rows is None:
            raise QueueNotFoundError(name)
        return [_stats_of(name, row, percents) for row in rows]


def percentile(bins: Sequence[int] | None, p: float) -> float | None:
    """Return below which time `p` percent (1 to 100) of a histogram's jobs stay, in seconds, by pg-boss's rule: within
    a slot by its logarithm. `None` for an empty histogram."""
    if not bins or not sum(bins):
        return None
    wanted = p / 100 * sum(bins)
    below = 0
    slot = 0
    while slot < len(bins) - 1 and not (bins[slot] and below + bins[slot] >= wanted):
        below += bins[slot]
        slot += 1
    if slot == 0:
        return SHORTEST_LATENCY
    lower_end = SHORTEST_LATENCY * math.sqrt(2) ** (slot - 1)
    if slot == len(bins) - 1:
        return lower_end
    return lower_end * math.sqrt(2) ** ((wanted - below) / bins[slot])


def _series(
    from_: datetime | None,
    to: datetime | None,
    limit: int,
    *,
    bucket_seconds: int | None,
    max_data_points: int | None,
    aggregate: str,
) -> tuple[str, dict[str, Any]]:
    for instant_given in (from_, to):
        if instant_given is not None and instant_given.tzinfo is None:
            raise NaiveDatetimeError(f"get_queue_stats: {instant_given.isoformat()} has no time zone.")
    wanted: dict[str, Any] = {"from": from_, "to": to, "limit": check_limit("get_queue_stats", limit)}
    if bucket_seconds is None and max_data_points is None:
        return "recorded_queue_stats", wanted
    for what, width in (("bucket_seconds", bucket_seconds), ("max_data_points", max_data_points)):
        if width is not None and (not isinstance(width, int) or width < 1):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(f"get_queue_stats: {what} must be a whole number of at least 1, not {width!r}.")
    if aggregate not in get_args(Aggregate):
        raise InputError(f"get_queue_stats: aggregate must be 'max', 'min' or 'avg', not {aggregate!r}.")
    width = {"max_data_points": max_data_points} if bucket_seconds is None else {"bucket_seconds": bucket_seconds}
    return "bucketed_queue_stats", {**wanted, **width, "aggregate": aggregate}


def _stats_of(name: str, row: Mapping[str, Any], percents: Sequence[float]) -> QueueStats:
    wait_bins, run_bins = _bins(row.get("wait_bins")), _bins(row.get("run_bins"))
    return QueueStats(
        name=name,
        deferred_count=row["deferred_count"],
        queued_count=row["queued_count"],
        ready_count=row["ready_count"],
        active_count=row["active_count"],
        failed_count=row["failed_count"],
        total_count=row["total_count"],
        completed_delta=row.get("completed_delta"),
        failed_delta=row.get("failed_delta"),
        created_delta=row.get("created_delta"),
        delta_seconds=row.get("delta_seconds"),
        delta_on=instant_or_none(row.get("delta_on")),
        wait_bins=wait_bins,
        run_bins=run_bins,
        ready_oldest_seconds=row.get("ready_oldest_seconds"),
        percentiles=[QueueStatsPercentile(p, percentile(wait_bins, p), percentile(run_bins, p)) for p in percents],
        captured_on=instant(row["captured_on"]),
    )


def _bins(counts: Sequence[int | None] | None) -> list[int] | None:
    return None if counts is None else [count or 0 for count in counts]
