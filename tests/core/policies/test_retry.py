"""The retry policy: R14, R15, R16, G13."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobcore.errors import InputError, InvalidHandlerError, NonRetryableError
from jobcore.policies.retry import DEFAULT_RETRY, PGBOSS_GUIDE_RETRY, InvalidRetryPolicyError, RetryPolicy


def seconds(policy: RetryPolicy, *attempts: int) -> list[float]:
    return [policy.delay_before(attempt).total_seconds() for attempt in attempts]


def test_the_default_doubles_from_one_second_up_to_thirty() -> None:
    assert DEFAULT_RETRY.max_attempts == 3
    assert seconds(DEFAULT_RETRY, 2, 3, 4, 5, 6, 7, 8) == [1, 2, 4, 8, 16, 30, 30]


def test_the_pgboss_guide_preset_waits_five_ten_and_twenty_seconds() -> None:
    assert PGBOSS_GUIDE_RETRY.max_attempts == 3
    assert seconds(PGBOSS_GUIDE_RETRY, 2, 3, 4) == [5, 10, 20]


def test_the_documented_override_in_milliseconds_is_understood() -> None:
    policy = RetryPolicy.from_milliseconds(5, 2.0, 1000, 60000, ["ValueError"])
    assert policy == RetryPolicy(5, timedelta(seconds=1), 2.0, timedelta(seconds=60), 0.0, ("ValueError",))


def test_the_first_attempt_never_waits() -> None:
    assert seconds(DEFAULT_RETRY, 0, 1) == [0, 0]


def test_an_absurd_attempt_number_waits_the_maximum_and_does_not_overflow() -> None:
    assert seconds(RetryPolicy(backoff_coefficient=100.0), 10_000) == [30]


@given(
    st.integers(2, 5000),
    st.floats(1.0, 100.0),
    st.floats(0.0, 1.0),
    st.timedeltas(timedelta(), timedelta(hours=1)),
    st.randoms(),
)
def test_a_delay_is_never_negative_and_never_above_the_maximum(
    attempt: int, coefficient: float, jitter: float, initial: timedelta, rng: random.Random
) -> None:
    policy = RetryPolicy(3, initial, coefficient, timedelta(hours=2), jitter)
    assert timedelta() <= policy.delay_before(attempt, rng) <= timedelta(hours=2)


@given(st.floats(1.0, 10.0))
def test_without_jitter_delays_never_shrink(coefficient: float) -> None:
    policy = RetryPolicy(backoff_coefficient=coefficient)
    assert all(earlier <= later for earlier, later in pairwise(seconds(policy, *range(2, 40))))


def test_jitter_takes_off_at_most_its_share() -> None:
    policy = RetryPolicy(initial_interval=timedelta(seconds=10), jitter=0.5)
    delays = [policy.delay_before(2, random.Random(seed)).total_seconds() for seed in range(200)]
    assert 5 <= min(delays) < 5.5
    assert 9.5 < max(delays) <= 10


def test_jitter_without_a_generator_uses_the_process_own() -> None:
    policy = RetryPolicy(initial_interval=timedelta(seconds=10), jitter=0.1)
    assert 9 <= policy.delay_before(2).total_seconds() <= 10


class Declined(Exception):
    pass


class CardDeclined(Declined):
    pass


@pytest.mark.parametrize("named", ["Declined", f"{__name__}.Declined", Declined, "CardDeclined"])
def test_an_error_is_final_by_class_name_qualified_name_or_type_of_any_of_its_classes(named: object) -> None:
    policy = RetryPolicy(non_retryable_errors=(named,))
    assert not policy.is_retryable(CardDeclined())
    assert policy.is_retryable(ValueError())


def test_a_non_retryable_error_is_always_final() -> None:
    assert not DEFAULT_RETRY.is_retryable(NonRetryableError("gone"))
    assert DEFAULT_RETRY.is_retryable(RuntimeError("again"))


def test_a_group_is_final_if_one_member_is() -> None:
    assert not DEFAULT_RETRY.is_retryable(
        ExceptionGroup("two", [ValueError(), ExceptionGroup("x", [NonRetryableError()])])
    )
    assert DEFAULT_RETRY.is_retryable(ExceptionGroup("two", [ValueError(), KeyError()]))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_attempts", 0),
        ("max_attempts", True),
        ("max_attempts", 2.5),
        ("max_attempts", 10**9),
        ("initial_interval", timedelta(seconds=-1)),
        ("initial_interval", 5),
        ("max_interval", timedelta(milliseconds=10)),
        ("max_interval", timedelta(days=4000)),
        ("backoff_coefficient", 0.5),
        ("backoff_coefficient", float("nan")),
        ("backoff_coefficient", "2"),
        ("jitter", 1.5),
        ("non_retryable_errors", "ValueError"),
        ("non_retryable_errors", (int,)),
        ("non_retryable_errors", (" ",)),
        ("non_retryable_errors", 7),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_with_field_and_value(field: str, value: object) -> None:
    with pytest.raises(InvalidRetryPolicyError, match=field) as caught:
        RetryPolicy(**{field: value})
    assert caught.value.field == field
    assert isinstance(caught.value, InvalidHandlerError)
    assert isinstance(caught.value, InputError)


def test_milliseconds_are_checked_too() -> None:
    with pytest.raises(InvalidRetryPolicyError, match="initial_interval_ms"):
        RetryPolicy.from_milliseconds(initial_interval_ms=-5)
    with pytest.raises(InvalidRetryPolicyError, match="max_interval_ms"):
        RetryPolicy.from_milliseconds(max_interval_ms=float("inf"))


def test_a_list_of_errors_is_kept_as_a_tuple_so_that_a_policy_can_be_hashed() -> None:
    policy = RetryPolicy(non_retryable_errors=["ValueError"])  # a list, as settings files give it
    assert policy.non_retryable_errors == ("ValueError",)
    assert hash(policy)
