"""`jobcore enqueue`, and what it says to garbage."""

import json

import psycopg
import pytest

from cli_constants import TENANT
from jobcore.cli.exit_codes import ExitCode

HELLO = ("enqueue", "say-hello", "--tenant", TENANT)
ADA = '{"name": "Ada"}'


def rows(dsn, statement="select tenant, type, payload, priority, run_at > now() as later from jobs"):
    with psycopg.connect(dsn) as connection:
        return connection.execute(statement).fetchall()


def test_a_job_is_enqueued_and_its_id_printed(cli, database):
    answer = cli(*HELLO, "--data", ADA, "--priority", "7", "--delay", "2 hours")
    assert answer.code == 0, answer.err
    [(tenant, name, payload, priority, later)] = rows(database)
    assert (str(tenant), name, payload["name"], priority, later) == (TENANT, "say-hello", "Ada", 7, True)
    assert answer.out.strip() == str(rows(database, "select job_id from jobs")[0][0])


def test_data_comes_from_a_file_and_from_standard_input(cli, database, project):
    (project / "data.json").write_text(ADA)
    assert cli(*HELLO, "--data", "@data.json").code == 0
    assert cli(*HELLO, "--data", "-", stdin=ADA).code == 0
    assert len(rows(database)) == 2


def test_the_payload_may_name_the_tenant(cli, database):
    assert cli("enqueue", "say-hello", "--data", json.dumps({"name": "Ada", "tenantId": TENANT})).code == 0
    assert str(rows(database)[0][0]) == TENANT


def test_a_dedupe_key_answers_with_the_job_that_holds_it(cli, database):
    first = cli(*HELLO, "--data", ADA, "--dedupe-key", "k", "--json").document
    second = cli(*HELLO, "--data", ADA, "--dedupe-key", "k", "--json").document
    assert (first["deduplicated"], second["deduplicated"]) == (False, True)
    assert first["job_id"] == second["job_id"]


def test_run_at_takes_any_time_zone(cli, database):
    assert cli(*HELLO, "--data", ADA, "--run-at", "2099-05-01T09:30:00+02:00").code == 0
    assert rows(database, "select run_at at time zone 'UTC' from jobs")[0][0].isoformat() == "2099-05-01T07:30:00"


def test_remote_takes_a_handler_that_nobody_has_yet(cli, database):
    assert cli("enqueue", "later", "--tenant", "system", "--remote").code == 0


GARBAGE = [
    pytest.param(["enqueue", "say-helo", "--tenant", TENANT], ExitCode.NOT_FOUND,
                 "No handler registered for job: say-helo. Did you mean 'say-hello'?", id="unknown handler"),
    pytest.param(["enqueue", "say-hello", "--data", ADA], ExitCode.USAGE,
                 "tenantId is required in job data\nName the tenant: --tenant UUID", id="no tenant"),
    pytest.param(["enqueue", "say-hello", "--tenant", "acme", "--data", ADA], ExitCode.USAGE,
                 "A tenant id is a UUID or 'system', not 'acme'", id="tenant"),
    pytest.param([*HELLO, "--data", '{"times": "often"}'], ExitCode.USAGE,
                 "name: Field required; times: Input should be a valid integer", id="fields"),
    pytest.param([*HELLO, "--data", '{"name": '], ExitCode.USAGE,
                 "--data is not JSON: Expecting value at line 1, column 10", id="no JSON"),
    pytest.param([*HELLO, "--data", "[1]"], ExitCode.USAGE, "must be a JSON object", id="no object"),
    pytest.param([*HELLO, "--data", '{"name": NaN}'], ExitCode.USAGE, "JSON has no NaN", id="NaN"),
    pytest.param([*HELLO, "--data", "@missing.json"], ExitCode.USAGE, "missing.json", id="no file"),
    pytest.param([*HELLO, "--data", '{"name": "a\\u0000b"}'], ExitCode.USAGE,
                 "The payload at name holds a NUL character at position 1", id="NUL"),
    pytest.param([*HELLO, "--data", ADA, "--run-at", "2099-05-01T09:30:00"], ExitCode.USAGE,
                 "has no time zone", id="naive datetime"),
    pytest.param([*HELLO, "--data", ADA, "--run-at", "tomorrow"], ExitCode.USAGE,
                 "--run-at 'tomorrow' is no date and time", id="no datetime"),
    pytest.param([*HELLO, "--data", ADA, "--delay", "5 fortnights"], ExitCode.USAGE, "fortnights", id="delay"),
    pytest.param([*HELLO, "--data", ADA, "--delay", "-1"], ExitCode.USAGE, "delay must be from zero", id="negative"),
    pytest.param([*HELLO, "--data", ADA, "--delay", "5", "--run-at", "2099-05-01T09:30:00Z"], ExitCode.USAGE,
                 "Give either delay or run_at, not both", id="both"),
    pytest.param([*HELLO, "--data", ADA, "--runner", "pgbos"], ExitCode.CONFIGURATION, "pgbos", id="unknown runner"),
    pytest.param([*HELLO, "--data", ADA, "--dedupe-key", ""], ExitCode.USAGE, "dedupe_key must be", id="empty key"),
    pytest.param(["enqueue", "say hello", "--tenant", TENANT, "--remote"], ExitCode.USAGE,
                 "has ' ' at position 3", id="name"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "code", "message"), GARBAGE)
def test_garbage_gets_a_message_that_helps(cli, database, arguments, code, message):
    answer = cli(*arguments)
    assert message in answer.err
    assert (answer.code, answer.out) == (code, "")
    assert rows(database) == []


def test_a_payload_over_the_limit_is_refused(cli, database, monkeypatch, project):
    monkeypatch.setenv("JOBCORE_LIMITS__PAYLOAD_BYTES", "100")
    answer = cli(*HELLO, "--data", json.dumps({"name": "x" * 200}))
    assert answer.code == ExitCode.USAGE
    assert "at most 100 are accepted" in answer.err


def test_with_json_the_problems_of_fields_are_listed(cli, database):
    answer = cli(*HELLO, "--data", '{"times": "often"}', "--json")
    error = answer.document["error"]
    assert (error["type"], error["exit_code"]) == ("PayloadInvalidError", ExitCode.USAGE)
    assert [problem["path"] for problem in error["problems"]] == ["name", "times"]
    assert answer.err == ""


def test_with_json_near_names_are_listed(cli, database):
    assert cli("enqueue", "say-helo", "--tenant", TENANT, "--json").document["error"]["near"] == ["say-hello"]


def test_waiting_that_takes_too_long_exits_with_7_and_leaves_the_job(cli, database):
    answer = cli(*HELLO, "--data", ADA, "--wait", "--timeout", "0.1")
    assert answer.code == ExitCode.TIMED_OUT
    assert rows(database, "select status from jobs") == [("queued",)]


def test_a_module_of_handlers_that_is_not_there_is_named(cli, database, monkeypatch):
    monkeypatch.setenv("JOBCORE_HANDLERS", "no_such_module")
    answer = cli(*HELLO, "--data", ADA)
    assert answer.code == ExitCode.CONFIGURATION
    assert "'no_such_module' cannot be imported" in answer.err


@pytest.mark.parametrize(
    ("name", "message"),
    [("cli_jobs", "write module:attribute"), ("cli_jobs:nothing", "nothing"), ("cli_jobs:Path", "name a JobApp")],
)
def test_an_app_that_is_none_is_refused(cli, database, name, message):
    answer = cli(*HELLO, "--data", ADA, "--app", name)
    assert answer.code == ExitCode.CONFIGURATION
    assert message in answer.err


def test_an_app_of_the_users_own_is_taken(cli, database, project):
    (project / "cli_jobs.py").write_text(
        (project / "cli_jobs.py").read_text()
        + "\n\ndef make_app():\n    from jobcore.app import JobApp\n\n    return JobApp(handlers=[say_hello])\n"
    )
    (project / "jobcore.toml").write_text("")
    assert cli(*HELLO, "--data", ADA).code == ExitCode.NOT_FOUND
    assert cli(*HELLO, "--data", ADA, "--app", "cli_jobs:make_app").code == 0
