"""`jobcore worker --processes N`: real processes, killed and stopped in every way that a machine knows."""

import json
import os
import re
import signal
from pathlib import Path

import psycopg
import pytest

from cli_constants import TENANT
from jobcore.cli.exit_codes import ExitCode

BOTH_WORK = re.compile(r"Worker process (\d) \(pid (\d+)\) works")

BUSY = "select w.pid from jobcore.workers w join jobs j using (worker_id) where j.status = 'processing'"


@pytest.fixture(autouse=True)
def _quick_rescue(project, monkeypatch):
    monkeypatch.setenv("JOBCORE_PGBOSS__LEASE_SECONDS", "2")
    monkeypatch.setenv("JOBCORE_PGBOSS__RESCUE_INTERVAL_SECONDS", "0.2")


def members(program):
    """The latest pid of each worker process that works."""
    return {int(number): int(pid) for number, pid in BOTH_WORK.findall(program.log)}


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def rows(dsn, query):
    with psycopg.connect(dsn) as connection:
        return connection.execute(query).fetchall()


def status(dsn):
    return [row[0] for row in rows(dsn, "select status from jobs order by created_at")]


@pytest.fixture
def fleet(start, database, wait_until):
    """A supervisor with two processes that work."""
    program = start("worker", "--processes", "2", "--concurrency", "1", until="supervisor")
    wait_until(lambda: program.says("") and len(members(program)) == 2)
    yield program
    pids = members(program).values()
    if program.process.poll() is None:
        program.signal()
        program.wait()
    wait_until(lambda: not any(is_alive(pid) for pid in pids))


@pytest.fixture
def held(fleet, cli, project, wait_until):
    """One of the two processes runs a job until the file `release` is there."""
    assert cli("enqueue", "hold", "--tenant", TENANT).code == 0
    wait_until((project / "running-1").exists)
    return fleet


def test_each_process_has_a_worker_id_and_connections_of_its_own(fleet, database):
    workers = rows(database, "select worker_id, pid from jobcore.workers where not stopping")
    assert {pid for _, pid in workers} == set(members(fleet).values())
    assert len({worker_id for worker_id, _ in workers}) == 2
    assert fleet.process.pid not in members(fleet).values()
    fetchers = "select from pg_stat_activity where application_name = 'jobcore worker fetcher' and datname = %s"
    with psycopg.connect(database) as connection:
        assert len(connection.execute(fetchers, (connection.info.dbname,)).fetchall()) == 2


def test_log_lines_name_the_process(fleet):
    for number in (1, 2):
        assert re.search(rf"INFO \[worker {number}\] jobcore\.app: Worker \S+ started", fleet.log)
    assert re.search(r"INFO \[supervisor\] jobcore\.cli: Worker process 2", fleet.log)


def test_json_lines_name_the_process(start, database, wait_until):
    program = start("worker", "--processes", "2", "--log-format", "json", until="(pid")
    wait_until(lambda: len(members(program)) == 2)
    program.signal()
    assert program.wait() == ExitCode.OK
    lines = [json.loads(line) for line in program.log.splitlines()]
    assert {line["process"] for line in lines} == {"supervisor", "worker 1", "worker 2"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_waits_for_the_running_jobs_of_all(held, project, database, wait_until, number):
    held.signal(number)
    wait_until(lambda: held.says("The supervisor: no new jobs"))
    assert held.process.poll() is None
    (project / "release").touch()
    assert held.wait() == ExitCode.OK
    assert status(database) == ["completed"]


def test_a_signal_before_any_process_works_ends_all_at_once(start, database):
    program = start("worker", "--processes", "2", until="2 worker processes are to be started")
    program.signal()
    assert program.wait() == ExitCode.OK


def test_a_second_signal_hands_the_running_jobs_back(held, database, wait_until):
    held.signal(signal.SIGTERM)
    wait_until(lambda: held.says("The supervisor: no new jobs"))
    held.signal(signal.SIGTERM)
    assert held.wait() == ExitCode.OK
    assert status(database) == ["queued"]


def test_one_signal_to_all_processes_at_once_is_no_second_one(held, project, database, wait_until):
    """systemd and Kubernetes signal every process of the group."""
    for pid in (held.process.pid, *members(held).values()):
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: held.log.count("no new jobs; waiting") == 2)
    (project / "release").touch()
    assert held.wait() == ExitCode.OK
    assert status(database) == ["completed"]
    assert "handed back" not in held.log.replace("hands them back", "")


def test_a_process_that_is_killed_is_replaced_and_its_job_is_done_by_another(held, project, database, wait_until):
    before = members(held)
    wait_until(lambda: bool(rows(database, BUSY)))
    [(pid,)] = rows(database, BUSY)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: held.says("was killed by SIGKILL"))
    wait_until(lambda: members(held) != before)
    (project / "release").touch()
    wait_until(lambda: status(database) == ["completed"])
    assert held.log.count("was killed by SIGKILL") == 1
    held.signal()
    assert held.wait() == ExitCode.OK


def test_a_process_that_is_stopped_by_itself_is_replaced(fleet, wait_until):
    before = members(fleet)
    os.kill(before[2], signal.SIGTERM)
    wait_until(lambda: fleet.says("was stopped by itself"))
    wait_until(lambda: members(fleet)[2] != before[2])
    assert members(fleet)[1] == before[1]


def test_when_none_is_left_and_none_can_start_it_gives_up(fleet, project, wait_until):
    (project / "cli_jobs.py").write_text("this is no Python")
    for pid in members(fleet).values():
        os.kill(pid, signal.SIGKILL)
    assert fleet.wait() == ExitCode.CONFIGURATION
    assert fleet.log.count("before it worked") >= 5
    assert "5 in a row could not start: giving up" in fleet.log


def test_a_process_that_dies_while_it_is_to_stop_is_told_by_the_exit_code(held, database, wait_until):
    held.signal(signal.SIGTERM)
    wait_until(lambda: held.says("waiting for the running ones"))
    for pid in members(held).values():
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)
    assert held.wait() == ExitCode.FAILED
    assert "while it was to stop" in held.log


def test_without_their_supervisor_the_processes_finish_their_jobs_and_end(held, project, database, wait_until):
    held.process.kill()
    held.process.wait()
    wait_until(lambda: held.log.count("The supervisor is gone: no new jobs") == 2)
    pids = members(held).values()
    wait_until(lambda: sum(is_alive(pid) for pid in pids) == 1)
    (project / "release").touch()
    wait_until(lambda: not any(is_alive(pid) for pid in pids))
    assert status(database) == ["completed"]


def run_in_vain(start, wait_until, *arguments):
    program = start("worker", "--processes", "3", *arguments, until="before it worked")
    return program, program.wait()


def test_what_is_wrong_with_the_settings_is_said_once(start, database, wait_until):
    program, code = run_in_vain(start, wait_until, "--queues", "say-helo")
    assert code == ExitCode.CONFIGURATION
    assert program.log.count("did you mean 'say-hello'") == 1
    assert "[worker 2]" not in program.log


def test_a_database_that_is_away_is_said_once(start, wait_until, monkeypatch, project):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    program, code = run_in_vain(start, wait_until)
    assert code == ExitCode.UNREACHABLE
    assert program.log.count("PostgreSQL cannot be reached") == 1


def test_wrong_settings_of_the_supervisor_itself_are_refused(cli, database, monkeypatch):
    monkeypatch.setenv("JOBCORE_WORKER__PROCESSES", "0")
    answer = cli("worker")
    assert answer.code == ExitCode.CONFIGURATION
    assert "JOBCORE_WORKER__PROCESSES" in answer.err


def test_the_number_may_stand_in_the_settings(start, database, wait_until, monkeypatch):
    monkeypatch.setenv("JOBCORE_WORKER__PROCESSES", "2")
    program = start("worker", until="2 worker processes are to be started")
    wait_until(lambda: len(members(program)) == 2)
    program.signal()
    assert program.wait() == ExitCode.OK


def test_the_number_may_stand_in_an_app_of_the_users_own(start, database, wait_until, project):
    (project / "own.py").write_text(
        "import cli_jobs\nfrom jobcore.app import JobApp\nfrom jobcore.settings import Settings\n\n"
        "app = JobApp(Settings.load(worker={'processes': 2}), handlers=[cli_jobs])\n"
    )
    (project / "jobcore.toml").write_text("")
    program = start("worker", "--app", "own:app", until="2 worker processes are to be started")
    wait_until(lambda: len(members(program)) == 2)
    program.signal()
    assert program.wait() == ExitCode.OK


def test_one_process_needs_no_supervisor(start, database):
    program = start("worker", "--processes", "1", until="jobs at a time")
    assert "supervisor" not in program.log


def test_the_option_between_supervisor_and_process_is_not_for_people(cli, database):
    answer = cli("worker", "--member", "nonsense")
    assert answer.code == ExitCode.USAGE
    assert "--processes" in answer.err
