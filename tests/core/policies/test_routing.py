"""The choice of a runner, and the reasons that it keeps."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobcore.errors import EditionError, InputError, UnknownRunnerError
from jobcore.policies.routing import Choice, Route, Runners, choose_runner, share_of

JOB = UUID(int=7)
BOTH = Runners(frozenset({"pgboss", "temporal"}))


def choose(runners: Runners = BOTH, job_id: UUID = JOB, **options: object) -> Choice:
    return choose_runner("invoice_zip", job_id, runners, **options)


def test_the_order_is_call_handler_routes_hook_setting_edition() -> None:
    levels: list[tuple[str, object]] = [
        ("explicit", "a"),
        ("handler", "b"),
        ("routes", [Route("invoice*", "c")]),
        ("ask_hook", lambda: "d"),
        ("configured", "e"),
        ("defaults", ["f"]),
    ]
    runners = Runners(frozenset("abcdef"))
    for index, winner in enumerate("abcdef"):
        assert choose(runners, **dict(levels[index:])).runner == winner


def test_the_choice_says_why_and_why_not_the_others() -> None:
    choice = choose(routes=[Route("email*", "temporal")], configured="pgboss")
    assert choice.runner == "pgboss"
    assert choice.reason == "JOB_RUNNER_TYPE"
    assert [(item.option, item.reason) for item in choice.rejected] == [
        ("runner=", "not given"),
        ("handler", "names none"),
        ("route 'email*' to 'temporal'", "does not match the job's name"),
        ("hook", "gave no answer"),
    ]
    assert "does not match" in str(choice)


def test_the_hook_is_not_asked_when_something_before_it_decided() -> None:
    def ask() -> str:
        raise AssertionError("asked")

    assert choose(explicit="pgboss", ask_hook=ask).runner == "pgboss"


def test_an_answer_of_the_hook_that_cannot_be_used_is_passed_over_and_kept_as_a_reason() -> None:
    choice = choose(ask_hook=lambda: "rabbit", configured="pgboss")
    assert choice.runner == "pgboss"
    assert "named 'rabbit': it is not installed (installed: pgboss, temporal)" in choice.rejected[-1].reason


@pytest.mark.parametrize("option", ["explicit", "handler", "configured"])
def test_a_runner_that_is_named_but_missing_is_an_error_with_what_is_installed_and_what_to_do(option: str) -> None:
    runners = Runners(frozenset({"pgboss"}), hints={"temporal": "Install jobcore-temporal-runner."})
    with pytest.raises(UnknownRunnerError, match=r"'temporal'.*installed: pgboss.*Install jobcore-temporal-runner"):
        choose(runners, **{option: "temporal"})
    with pytest.raises(UnknownRunnerError, match="route"):
        choose(runners, routes=[Route("*", "temporal")])


def test_a_runner_that_the_edition_does_not_include_is_refused_with_the_reason() -> None:
    runners = Runners(frozenset({"pgboss", "temporal"}), refused={"temporal": "EDITION=community does not include it."})
    with pytest.raises(EditionError, match="EDITION=community"):
        choose(runners, configured="temporal")


def test_the_edition_takes_the_first_of_its_defaults_that_is_installed() -> None:
    assert choose(defaults=["temporal", "pgboss"]).runner == "temporal"
    assert choose(Runners(frozenset({"pgboss"})), defaults=["temporal", "pgboss"]).runner == "pgboss"


def test_with_nothing_left_the_error_lists_what_was_tried() -> None:
    with pytest.raises(UnknownRunnerError, match=r"no runner is left.*JOB_RUNNER_TYPE: not set.*edition: named 'x'"):
        choose(defaults=["x"])


@given(st.uuids(), st.floats(0, 100), st.floats(0, 100))
def test_raising_a_percentage_keeps_every_job_that_was_already_in(job_id: UUID, one: float, other: float) -> None:
    low, high = sorted((one, other))
    if Route("*", "x", low).draws(job_id):
        assert Route("*", "x", high).draws(job_id)


@given(st.uuids())
def test_zero_percent_takes_none_and_a_hundred_takes_all(job_id: UUID) -> None:
    assert not Route("*", "x", 0).draws(job_id)
    assert Route("*", "x", 100).draws(job_id)


def test_a_canary_takes_about_its_share_and_the_rest_falls_through() -> None:
    routes = [Route("invoice*", "temporal", 20)]
    chosen = [choose(job_id=uuid4(), routes=routes, configured="pgboss").runner for _ in range(3000)]
    assert 450 < chosen.count("temporal") < 750


def test_the_share_of_a_job_never_changes() -> None:
    assert share_of(JOB) == share_of(UUID(int=7))
    left_out = choose(routes=[Route("*", "temporal", share_of(JOB))], configured="pgboss")
    assert "falls at" in left_out.rejected[2].reason


@pytest.mark.parametrize("values", [("*", "x", -1), ("*", "x", 101), ("*", "x", float("nan")), ("", "x"), ("*", "")])
def test_a_route_that_cannot_be_meant_is_refused(values: tuple) -> None:
    with pytest.raises(InputError, match=r"[Rr]oute"):
        Route(*values)
