"""How the pace follows what ends, by a clock of the test's own."""

from __future__ import annotations

from jobcore_pgboss.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def ended(pace: Pace, count: int) -> None:
    for _ in range(count):
        pace.count()


def test_a_window_tells_the_pace() -> None:
    pace = Pace(10, clock := Clock())
    ended(pace, 50)
    clock.now += 0.1
    assert round(pace.per_second()) == 500


def test_a_fast_start_is_known_before_the_first_window_is_over() -> None:
    pace = Pace(10, clock := Clock())
    ended(pace, 20)
    clock.now += 0.01
    assert round(pace.per_second()) == 2_000


def test_slots_that_end_together_after_long_jobs_are_no_fast_start() -> None:
    pace = Pace(10, clock := Clock())
    clock.now += 60
    assert pace.per_second() == 0
    ended(pace, 10)
    clock.now += 0.001
    assert pace.per_second() == 0


def test_a_pause_within_a_window_does_not_lower_the_pace_and_a_whole_one_does() -> None:
    pace = Pace(10, clock := Clock())
    ended(pace, 110)
    clock.now += 0.11
    assert round(pace.per_second()) == 1_000
    clock.now += 0.05
    assert round(pace.per_second()) == 1_000
    clock.now += 0.06
    assert pace.per_second() == 0
