"""`jobcore worker` as a process: what it says, when it refuses, and how it stops."""

import json
import signal

import psycopg
import pytest

from cli_constants import TENANT
from jobcore.cli.exit_codes import ExitCode

READY = "jobs at a time"


def status(dsn):
    with psycopg.connect(dsn) as connection:
        return [row[0] for row in connection.execute("select status from jobs order by created_at").fetchall()]


@pytest.fixture
def held(cli, start, database, project, wait_until):
    """A worker whose one job runs until the file `release` is there."""
    worker = start("worker", "--concurrency", "2", until=READY)
    assert cli("enqueue", "hold", "--tenant", TENANT).code == 0
    wait_until((project / "running-1").exists)
    return worker


def test_the_log_names_handlers_and_queues_at_the_start(start, database):
    worker = start("worker", "--queues", "say-hello,hold", "--queues", "fail", "--concurrency", "3", until=READY)
    assert "3 handlers in 3 queues, 3 jobs at a time" in worker.log
    assert "Queue say-hello: say-hello" in worker.log


def test_sigterm_waits_for_the_running_job(held, project, database, wait_until):
    held.signal(signal.SIGTERM)
    wait_until(lambda: held.says("SIGTERM"))
    assert held.process.poll() is None
    (project / "release").touch()
    assert held.wait() == ExitCode.OK
    assert status(database) == ["completed"]


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_hands_the_running_job_back(held, project, database, wait_until, second):
    held.signal(signal.SIGTERM)
    wait_until(lambda: held.says("waiting for the running ones"))
    held.signal(second)
    assert held.wait() == ExitCode.OK
    assert status(database) == ["queued"]


def test_a_job_that_was_handed_back_is_run_by_the_next_worker(held, start, cli, project, database, wait_until):
    held.signal(signal.SIGTERM)
    wait_until(lambda: held.says("waiting for the running ones"))
    held.signal(signal.SIGTERM)
    held.wait()
    (project / "release").touch()
    start("worker", until=READY)
    wait_until(lambda: status(database) == ["completed"])


def test_log_lines_are_json_objects_on_request(cli, start, database, wait_until):
    worker = start("worker", "--log-format", "json", until=READY)
    assert cli("enqueue", "say-hello", "--tenant", TENANT, "--data", '{"name": "Ada"}').code == 0
    wait_until(lambda: worker.says("Job completed successfully"))
    worker.signal()
    assert worker.wait() == ExitCode.OK
    lines = [json.loads(line) for line in worker.log.splitlines()]
    [finished] = [line for line in lines if line["msg"] == "Job completed successfully"]
    assert (finished["job"], finished["level"], finished["tenantId"]) == ("say-hello", "info", TENANT)


def test_it_refuses_to_start_in_a_test_environment_unless_told(cli, start, database, monkeypatch):
    monkeypatch.setenv("JOBCORE_ENV", "test")
    answer = cli("worker")
    assert answer.code == ExitCode.CONFIGURATION
    assert "--in-test" in answer.err
    start("worker", "--in-test", until=READY)


def test_it_refuses_to_start_without_handlers(cli, database, monkeypatch, project):
    (project / "jobcore.toml").write_text("")
    monkeypatch.setenv("JOBCORE_PLUGINS__BLOCK", "jobcore-builtin-handlers")
    answer = cli("worker")
    assert answer.code == ExitCode.CONFIGURATION
    assert "No handler was found" in answer.err
    assert "jobcore init" in answer.err


def test_a_queue_that_nobody_serves_here_is_refused_with_near_names(cli, database):
    answer = cli("worker", "--queues", "say-helo")
    assert answer.code == ExitCode.CONFIGURATION
    assert "did you mean 'say-hello'" in answer.err


def test_a_database_without_a_schema_exits_with_5_and_names_the_command(cli, empty_database_dsn, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", empty_database_dsn)
    answer = cli("worker")
    assert answer.code == ExitCode.SCHEMA
    assert "jobcore migrate" in answer.err


def test_an_app_of_the_users_own_is_worked(cli, start, database, project, wait_until):
    (project / "own.py").write_text(
        "import cli_jobs\nfrom jobcore.app import JobApp\n\napp = JobApp(handlers=[cli_jobs])\n"
    )
    (project / "jobcore.toml").write_text("")
    start("worker", "--app", "own:app", until=READY)
    waited = cli("enqueue", "say-hello", "--tenant", TENANT, "--data", '{"name": "Ada"}', "--wait", "--timeout", "20")
    assert waited.code == 0, waited.err


def test_a_worker_whose_database_is_gone_for_good_ends_after_its_grace(
    start, cli, durable_postgres_server, durable_database_dsn, project, monkeypatch, wait_until
):
    monkeypatch.setenv("DATABASE_URL", durable_database_dsn)
    monkeypatch.setenv("JOBCORE_WORKER__GRACE_SECONDS", "1")
    worker = start("worker", until=READY)
    assert cli("enqueue", "hold", "--tenant", TENANT).code == 0
    wait_until((project / "running-1").exists)
    durable_postgres_server.stop("immediate")
    worker.signal(signal.SIGTERM)
    assert worker.wait() == ExitCode.OK
    assert "The database has been away for 1 s while this worker wants to stop" in worker.log
    assert "The database did not take how 1 jobs ended" in worker.log
    durable_postgres_server.start()
