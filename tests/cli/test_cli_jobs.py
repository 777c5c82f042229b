"""`jobcore jobs` and `jobcore queues`, with a worker that runs beside them."""

import json
import signal
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from cli_constants import OTHER_TENANT, TENANT
from jobcore.cli.exit_codes import ExitCode

ADA = '{"name": "Ada"}'
STARTED = "Worker"


def enqueue(cli, name, *options, tenant=TENANT):
    answer = cli("enqueue", name, "--tenant", tenant, "--json", *options)
    assert answer.code == 0, answer.err
    return answer.document["job_id"]


@pytest.fixture
def worker(start, database):
    return start("worker", until="jobs at a time")


def listed(cli, *options):
    answer = cli("jobs", "list", "--json", *options)
    assert answer.code == 0, answer.out
    return [job["job_id"] for job in answer.document["jobs"]]


def test_enqueue_waits_for_the_result(cli, worker):
    answer = cli("enqueue", "say-hello", "--tenant", TENANT, "--data", ADA, "--wait", "--timeout", "20", "--json")
    assert answer.code == 0, answer.out
    job = answer.document
    assert (job["status"], job["result"], job["progress"]) == ("completed", {"greeting": "Hello, Ada!"}, 100.0)


def test_waiting_for_a_job_that_fails_exits_with_1_and_shows_why(cli, worker):
    answer = cli("enqueue", "fail", "--tenant", TENANT, "--wait", "--timeout", "20")
    assert answer.code == ExitCode.FAILED
    assert "NonRetryableError: no \\x1b[31mway" in answer.out
    assert "\x1b" not in answer.out
    assert "Traceback" not in answer.err


def test_wait_show_and_retry_tell_the_story_of_a_failed_job(cli, worker):
    job = enqueue(cli, "fail")
    waited = cli("jobs", "wait", job, "--tenant", TENANT, "--timeout", "20", "--json")
    assert (waited.code, waited.document["status"]) == (ExitCode.FAILED, "failed")
    shown = cli("jobs", "show", job, "--tenant", TENANT, "--json").document
    assert [detail["step_name"] for detail in shown["details"]] == ["attempt 1"]
    assert shown["error"]["type"].endswith("NonRetryableError")
    text = cli("jobs", "show", job, "--tenant", TENANT).out
    assert "attempt 1" in text
    assert "failed" in text
    assert cli("jobs", "retry", job, "--tenant", TENANT).code == 0
    assert cli("jobs", "wait", job, "--tenant", TENANT, "--timeout", "20").code == ExitCode.FAILED
    assert len(cli("jobs", "show", job, "--tenant", TENANT, "--json").document["details"]) == 2


def test_a_running_job_is_cancelled_through_its_signal(cli, worker, project, wait_until):
    job = enqueue(cli, "hold")
    wait_until((project / "running-1").exists)
    answer = cli("jobs", "cancel", job, "--tenant", TENANT, "--reason", "not needed")
    assert answer.code == 0
    waited = cli("jobs", "wait", job, "--tenant", TENANT, "--timeout", "20", "--json")
    assert (waited.code, waited.document["status"]) == (ExitCode.FAILED, "cancelled")
    assert waited.document["error"]["reason"] == "not needed"


def test_queues_show_what_waits_and_who_serves(cli, worker):
    enqueue(cli, "say-hello", "--data", ADA, "--delay", "3600")
    queues = {row["queue"]: row for row in cli("queues", "--json").document["queues"]}
    assert queues["say-hello"] == {"queue": "say-hello", "waiting": 1, "workers": 1, "concurrency": 10, "paused": False}
    assert "say-hello" in cli("queues").out


def test_a_handler_that_only_a_live_worker_has_is_accepted(cli, worker, project):
    (project / "jobcore.toml").write_text("")
    assert cli("enqueue", "say-hello", "--tenant", TENANT, "--data", ADA).code == 0


def test_the_list_is_narrowed_by_each_filter(cli, database):
    first = enqueue(cli, "say-hello", "--data", ADA)
    second = enqueue(cli, "hold", tenant=OTHER_TENANT)
    third = enqueue(cli, "hold", tenant="system")
    assert cli("jobs", "cancel", third).code == 0
    assert listed(cli) == [third, second, first]
    assert listed(cli, "--state", "cancelled") == [third]
    assert listed(cli, "--state", "queued", "--state", "pending") == [second, first]
    assert listed(cli, "--name", "say-hello") == [first]
    assert listed(cli, "--runner", "pgboss", "--limit", "1") == [third]
    assert listed(cli, "--runner", "temporal") == []
    assert listed(cli, "--tenant", OTHER_TENANT) == [second]
    assert listed(cli, "--tenant", "system") == [third]
    assert listed(cli, "--tenant", "all", "--before", second) == [first]
    assert listed(cli, "--since", "1 hour") == [third, second, first]
    assert listed(cli, "--since", (datetime.now(UTC) + timedelta(hours=1)).isoformat()) == []


def test_the_list_for_people_says_how_to_go_on(cli, database):
    assert "No job fits." in cli("jobs", "list").out
    job = enqueue(cli, "hold")
    answer = cli("jobs", "list", "--limit", "1")
    assert job in answer.out
    assert f"--before {job}" in answer.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["list", "--state", "done"], ExitCode.USAGE, "'done' is not one of"),
        (["list", "--limit", "0"], ExitCode.USAGE, "greater than or equal to 1"),
        (["list", "--tenant", "acme"], ExitCode.USAGE, "A tenant id is a UUID or 'system'"),
        (["list", "--since", "2026-05-01T09:00:00"], ExitCode.USAGE, "time zone"),
        (["list", "--since", "yesterday"], ExitCode.USAGE, "yesterday"),
        (["show", "42"], ExitCode.USAGE, "should be a valid UUID"),
        (["show", str(uuid4())], ExitCode.NOT_FOUND, "If it is a tenant's, name that: --tenant UUID."),
        (["cancel", str(uuid4())], ExitCode.NOT_FOUND, "has no job"),
        (["retry", str(uuid4())], ExitCode.NOT_FOUND, "has no job"),
        (["wait", str(uuid4())], ExitCode.NOT_FOUND, "has no job"),
    ],
)
def test_garbage_gets_a_message_that_helps(cli, database, arguments, code, message):
    answer = cli("jobs", *arguments)
    assert message in answer.err
    assert (answer.code, answer.out) == (code, "")


def test_what_cannot_be_done_exits_with_1_and_says_where_the_job_is(cli, database):
    job = enqueue(cli, "hold")
    refused = cli("jobs", "retry", job, "--tenant", TENANT)
    assert refused.code == ExitCode.FAILED
    assert "it is queued, and only failed and cancelled jobs can" in refused.out
    assert cli("jobs", "cancel", job, "--tenant", TENANT).code == 0
    again = cli("jobs", "cancel", job, "--tenant", TENANT, "--json")
    assert again.code == ExitCode.FAILED
    assert again.document == {"jobs": [{"job_id": job, "done": False, "status": "cancelled"}]}


def test_another_tenants_job_is_not_found(cli, database):
    job = enqueue(cli, "hold")
    assert cli("jobs", "show", job, "--tenant", OTHER_TENANT).code == ExitCode.NOT_FOUND


def test_an_interrupted_wait_exits_with_130(start, cli, database):
    job = enqueue(cli, "hold")
    waiting = start("jobs", "wait", job, "--tenant", TENANT, until="")
    with psycopg.connect(database, autocommit=True) as connection:
        while not connection.execute(
            "select 1 from pg_stat_activity where query ilike '%public.jobs%' and pid <> pg_backend_pid()"
        ).fetchall():
            assert waiting.process.poll() is None
    waiting.signal(signal.SIGINT)
    assert waiting.wait() == ExitCode.INTERRUPTED
    assert "Traceback" not in waiting.log


def test_the_documents_are_one_json_value(cli, database):
    enqueue(cli, "hold")
    for arguments in (["jobs", "list"], ["queues"], ["schedules", "list"], ["plugins", "list"], ["version"]):
        answer = cli(*arguments, "--json")
        assert isinstance(json.loads(answer.out), dict)
        assert answer.err == ""
