"""`jobcore retention`, brought by the storage."""

from datetime import timedelta

import psycopg
import pytest

from jobcore.cli.exit_codes import ExitCode
from postgres_storage.retained import count_of, make_jobs

TENANT = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def history(database):
    """Three completed jobs and two failed ones that ended forty days ago, and one that waits."""
    with psycopg.connect(database, autocommit=True) as admin:
        make_jobs(admin, 3, details=True)
        make_jobs(admin, 2, status="failed")
        make_jobs(admin, 1, status="queued")
        yield admin


def test_prune_deletes_what_ended_long_ago(cli, history):
    answer = cli("retention", "prune", "--older-than", "30 days", "--json")
    assert answer.document == {
        "dry_run": False,
        "pruned": [
            {"tenant": TENANT, "state": "completed", "jobs": 3, "details": 3},
            {"tenant": TENANT, "state": "failed", "jobs": 2, "details": 0},
        ],
    }
    assert count_of(history, "jobs") == 1
    assert cli("retention", "prune", "--older-than", "30 days").out == "There is nothing to delete.\n"


def test_prune_takes_the_states_and_the_tenant_that_are_named(cli, history):
    make_jobs(history, 4, tenant="00000000-0000-0000-0000-000000000000")
    cli("retention", "prune", "--older-than", "30 days", "--state", "failed", "--tenant", TENANT)
    assert count_of(history, "jobs") == 8
    cli("retention", "prune", "--older-than", "30 days", "--tenant", "system")
    assert count_of(history, "jobs") == 4


def test_a_dry_run_counts_and_deletes_nothing(cli, history):
    answer = cli("retention", "prune", "--older-than", "30 days", "--dry-run")
    assert answer.out.splitlines()[1].split() == [TENANT, "completed", "3"]
    assert "Nothing was deleted." in answer.err
    assert count_of(history, "jobs") == 6


def test_without_an_age_it_goes_by_the_rules(cli, history, monkeypatch):
    assert cli("retention", "prune").out == "There is nothing to delete.\n"
    monkeypatch.setenv("JOBCORE_POSTGRES__KEEP_FAILED_DAYS", "39")
    cli("retention", "prune")
    assert count_of(history, "jobs") == 4
    cli("retention", "set", "10 days", "--tenant", TENANT, "--state", "completed")
    cli("retention", "prune")
    assert count_of(history, "jobs") == 1


def test_rules_are_set_listed_and_unset(cli, database):
    assert cli("retention", "list").out == "No tenant has a rule of its own.\n"
    kept = cli("retention", "set", "30 days", "--tenant", TENANT, "--state", "completed")
    assert kept.out == f"{TENANT}: completed jobs are kept for 30 days\n"
    assert cli("retention", "set", "forever", "--tenant", TENANT, "--state", "failed", "--json").code == 0
    month = timedelta(days=30).total_seconds()
    assert cli("retention", "list", "--json").document["rules"] == [
        {"tenant": TENANT, "state": "completed", "keep": month},
        {"tenant": TENANT, "state": "failed", "keep": None},
    ]
    assert "forever" in cli("retention", "list", "--tenant", TENANT).out
    assert cli("retention", "unset", "--tenant", TENANT, "--state", "failed").code == 0
    assert cli("retention", "unset", "--tenant", TENANT, "--json").document == {"tenant": TENANT, "state": None}
    assert cli("retention", "list", "--json").document == {"rules": []}


def test_a_progress_bar_shows_how_far_it_is(cli, history, terminal):
    terminal("stderr")
    assert cli("retention", "prune", "--older-than", "30 days").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("prune", "--older-than", "0"),
        ("prune", "--older-than", "1 day", "--state", "queued"),
        ("set", "0", "--tenant", TENANT),
    ],
    ids=["no-age", "not-ended", "no-time"],
)
def test_what_would_delete_too_much_is_refused(cli, history, arguments):
    answer = cli("retention", *arguments)
    assert answer.code == ExitCode.USAGE
    assert "would delete jobs as they end" in answer.err or "are never deleted" in answer.err
    assert count_of(history, "jobs") == 6


def test_another_storage_has_none(cli, project, monkeypatch):
    monkeypatch.setenv("JOBCORE_STORAGE", "memory")
    monkeypatch.setenv("JOB_RUNNER_TYPE", "memory")
    answer = cli("retention", "list")
    assert answer.code == ExitCode.USAGE
    assert "has no retention" in answer.err
