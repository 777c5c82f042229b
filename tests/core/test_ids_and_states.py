import os
import time
from concurrent.futures import ThreadPoolExecutor
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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_makes_ids_of_its_own() -> None:
    uuid7()  # more random bytes were asked for than this one needs
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, b"".join(uuid7().bytes[6:] for _ in range(100)))
        os._exit(0)
    os.waitpid(child, 0)
    told = os.read(reading, 2000)
    theirs = {told[start : start + 10] for start in range(0, len(told), 10)}
    assert len(theirs) == 100
    assert theirs.isdisjoint(uuid7().bytes[6:] for _ in range(100))


def test_threads_do_not_share_an_id() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: uuid7(), range(5_000)))
    assert len(set(made)) == 5_000


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
