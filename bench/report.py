"""Medians with their spread, and ratios to jobcore, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from bench.rounds import Results

OURS = "jobcore"
TITLES = {
    "enqueue_one_per_s": "enqueue, one at a time, a second",
    "enqueue_ten_per_s": "enqueue, ten at once, a second",
    "bulk_per_s": "bulk enqueue, a second",
    "drain_per_s": "drain, jobs a second",
    "drain_50_queues_per_s": "drain over 50 queues, jobs a second",
    "drain_backlog_per_s": "drain with 500,000 waiting, jobs a second",
    "worker_cpu_s_per_10k": "worker CPU, s per 10,000 jobs",
    "memory_mb": "worker memory after 100,000 jobs, MB",
    "idle_commit_to_start_p50_ms": "idle, enqueue returned to start, p50 ms",
    "idle_commit_to_start_p99_ms": "idle, enqueue returned to start, p99 ms",
    "idle_call_to_start_p50_ms": "idle, enqueue called to start, p50 ms",
    "idle_call_to_start_p99_ms": "idle, enqueue called to start, p99 ms",
    "steady_commit_to_start_p50_ms": "200 a second, enqueue returned to start, p50 ms",
    "steady_commit_to_start_p99_ms": "200 a second, enqueue returned to start, p99 ms",
    "steady_call_to_start_p50_ms": "200 a second, enqueue called to start, p50 ms",
    "steady_call_to_start_p99_ms": "200 a second, enqueue called to start, p99 ms",
}


def summarise(results: Results) -> dict[str, dict[str, dict[str, float]]]:
    """By figure, then by peer: median, lowest, highest, and the median divided by jobcore's where that was taken."""
    summary: dict[str, dict[str, dict[str, float]]] = {}
    for name in TITLES:
        taken = {peer: figures[name] for peer, figures in results.figures.items() if name in figures}
        if not taken:
            continue
        ours = median(taken[OURS]) if OURS in taken else 0.0
        summary[name] = {
            peer: {"median": median(values), "low": min(values), "high": max(values)}
            | ({"ratio": median(values) / ours} if ours else {})
            for peer, values in taken.items()
        }
    return summary


def as_table(summary: Mapping[str, Mapping[str, Mapping[str, float]]], results: Results) -> str:
    """One paragraph for each figure, one line for each peer."""
    lines: list[str] = []
    for name, peers in summary.items():
        lines.append(f"\n{TITLES[name]}")
        lines += [
            f"  {peer:18}{each['median']:>12,.2f}  ({each['low']:,.2f} to {each['high']:,.2f})"
            + (f"{each['ratio']:>10.2f} x" if "ratio" in each else "")
            for peer, each in peers.items()
        ]
    lines += [f"\nleft out: {reason}" for reason in results.left_out.values()]
    lines += [f"\nFAILED: {failure}" for failure in results.failures]
    lines += [f"\nMISCOUNTED: {miscount}" for miscount in results.miscounts]
    return "\n".join(lines)


def as_document(summary: Mapping[str, Any], results: Results, about: Mapping[str, Any]) -> dict[str, Any]:
    """Everything, with every single reading, for a machine."""
    return {
        "about": dict(about),
        "summary": dict(summary),
        "readings": results.figures,
        "left_out": results.left_out,
        "failures": results.failures,
        "miscounts": results.miscounts,
    }
