"""Whether every job ran exactly once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Count:
    """The numbers of the jobs that never ran, and of those that ran more than once."""

    missing: tuple[int, ...]
    doubled: tuple[int, ...]

    @property
    def is_exact(self) -> bool:
        return not self.missing and not self.doubled

    def __str__(self) -> str:
        if self.is_exact:
            return "every job ran once"
        return f"{_some(self.missing)} never ran; {_some(self.doubled)} ran more than once"


def count_runs(runs: Sequence[int]) -> Count:
    """Judge how often each job ran, `runs[number]` times."""
    return Count(
        missing=tuple(number for number, count in enumerate(runs) if count == 0),
        doubled=tuple(number for number, count in enumerate(runs) if count > 1),
    )


def _some(numbers: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, numbers[:5]))
    return f"{len(numbers)} jobs" + (f" ({shown}{', …' if len(numbers) > 5 else ''})" if numbers else "")
