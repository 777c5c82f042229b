import time
from uuid import UUID

import pytest

from jobcore.errors import InvalidTenantError
from jobcore.ids import SYSTEM_TENANT, parse_tenant, uuid7
from jobcore.states import LEGAL_MOVES, RUNNING_STATES, TERMINAL_STATES, WAITING_STATES, JobState, is_legal


def test_an_id_is_a_uuid_of_version_7_that_carries_its_time() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    after = time.time_ns() // 1_000_000
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert before <= made.int >> 80 <= after


def test_ids_differ_and_sort_by_the_millisecond() -> None:
    made = [uuid7() for _ in range(10_000)]
    assert len(set(made)) == 10_000
    stamps = [one.int >> 80 for one in made]
    assert stamps == sorted(stamps)


def test_tenants_are_uuids_or_system() -> None:
    assert parse_tenant("system") == SYSTEM_TENANT
    assert parse_tenant("00000000-0000-0000-0000-000000000007") == UUID(int=7)
    assert parse_tenant(UUID(int=7)) == UUID(int=7)
    for wrong in ("", "acme", 7, None, "x" * 500):
        with pytest.raises(InvalidTenantError):
            parse_tenant(wrong)


def test_every_state_is_waiting_running_or_ended() -> None:
    assert set(JobState) == WAITING_STATES | RUNNING_STATES | TERMINAL_STATES
    assert {state for state in JobState if state.is_terminal} == TERMINAL_STATES


def test_a_completed_job_never_moves_again() -> None:
    assert LEGAL_MOVES[JobState.COMPLETED] == frozenset()
    assert is_legal(JobState.COMPLETED, JobState.COMPLETED)
    assert not is_legal(JobState.COMPLETED, JobState.QUEUED)


def test_a_failed_job_goes_back_only_to_wait() -> None:
    assert LEGAL_MOVES[JobState.FAILED] == WAITING_STATES
