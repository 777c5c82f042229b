"""The circuit breaker (Q01, B15)."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobcore.errors import InputError
from jobcore.policies.breaker import BreakerState, CircuitBreaker


def opened(at: float = 100.0, cool_down: float = 30.0) -> CircuitBreaker:
    breaker = CircuitBreaker(failure_threshold=3, cool_down=cool_down)
    assert [breaker.record_failure(at) for _ in range(3)] == [False, False, True]
    return breaker


def test_a_new_circuit_is_closed_and_passes_calls() -> None:
    breaker = CircuitBreaker()
    assert breaker.state is BreakerState.CLOSED
    assert breaker.allow(0.0)
    assert breaker.retry_in(0.0) == 0


def test_the_threshold_of_failures_in_a_row_opens_it() -> None:
    breaker = opened()
    assert breaker.state is BreakerState.OPEN
    assert breaker.failures == 3
    assert not breaker.allow(129.9)
    assert breaker.retry_in(110.0) == 20


def test_other_numbers_count_from_then_on() -> None:
    breaker = CircuitBreaker(failure_threshold=3, cool_down=30)
    breaker.record_failure(1.0)
    breaker.adjust(2, 5)
    assert breaker.record_failure(2.0)
    assert breaker.retry_in(2.0) == 5
    with pytest.raises(InputError, match="failure_threshold"):
        breaker.adjust(0, 5)


def test_a_success_between_failures_starts_the_count_again() -> None:
    breaker = CircuitBreaker(failure_threshold=2)
    breaker.record_failure(1.0)
    breaker.record_success()
    assert not breaker.record_failure(2.0)
    assert breaker.state is BreakerState.CLOSED


def test_after_the_cool_down_one_probe_passes_and_others_wait_for_it() -> None:
    breaker = opened()
    assert breaker.allow(130.0)
    assert breaker.state is BreakerState.HALF_OPEN
    assert not breaker.allow(130.0)
    assert not breaker.allow(131.0)


def test_a_probe_that_works_closes_it() -> None:
    breaker = opened()
    breaker.allow(130.0)
    breaker.record_success()
    assert breaker.state is BreakerState.CLOSED
    assert breaker.failures == 0


def test_a_probe_that_fails_opens_it_for_another_cool_down() -> None:
    breaker = opened()
    breaker.allow(130.0)
    assert breaker.record_failure(135.0)
    assert not breaker.allow(164.9)
    assert breaker.allow(165.0)


def test_a_probe_that_never_reports_back_does_not_block_for_ever() -> None:
    breaker = opened()
    breaker.allow(130.0)
    assert not breaker.allow(159.9)
    assert breaker.allow(160.0)


def test_late_news_of_calls_from_before_the_opening_changes_nothing() -> None:
    breaker = opened()
    breaker.record_success()
    assert not breaker.record_failure(120.0)
    assert breaker.state is BreakerState.OPEN
    assert breaker.retry_in(120.0) == 10


def test_with_an_endless_cool_down_only_a_reset_closes_it() -> None:
    breaker = opened(cool_down=math.inf)
    assert not breaker.allow(1e12)
    breaker.reset()
    assert breaker.allow(0.0)


@pytest.mark.parametrize("options", [{"failure_threshold": 0}, {"cool_down": 0.0}, {"cool_down": math.nan}])
def test_values_that_cannot_be_meant_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(options))):
        CircuitBreaker(**options)


@given(st.lists(st.tuples(st.floats(0, 60), st.booleans()), max_size=60))
@example([(39.526553388999055, False), (59.35, False)])  # adding and taking 30.0 leaves more than 30.0
def test_calls_are_never_refused_for_longer_than_one_cool_down(steps: list[tuple[float, bool]]) -> None:
    breaker = CircuitBreaker(failure_threshold=2, cool_down=30.0)
    now = 0.0
    for wait, works in steps:
        now += wait
        assert 0 <= breaker.retry_in(now) <= 30.0
        if breaker.allow(now):
            breaker.record_success() if works else breaker.record_failure(now)
        assert breaker.retry_in(now + 30.0) == 0
