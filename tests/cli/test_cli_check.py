"""`jobcore check`: whether a build can take what waits, told on the screen, as a document and by the exit code."""

from __future__ import annotations

import sys
from uuid import UUID

import pytest

from cli_constants import OTHER_TENANT, TENANT
from jobcore.cli.exit_codes import ExitCode

HEAD = """
from typing import Any
from jobcore import JobContext, JobData, job

"""
OLD = """
class Mail(JobData):
    to: str
    note: str = ""

@job("mail")
async def mail(ctx: JobContext, data: Mail) -> None: ...
"""
ANOTHER_FIELD = OLD.replace('note: str = ""', "urgent: bool = False")
REQUIRED_FIELD = OLD.replace('note: str = ""', "urgent: bool")
NEW = """
class Mail(JobData):
    recipients: list[str]

@job("mail", version=2)
async def mail(ctx: JobContext, data: Mail) -> None: ...
"""
UPCAST = (
    NEW
    + """
@mail.upcast(from_version=1)
def many(payload: dict[str, Any]) -> dict[str, Any]:
    return {**payload, "recipients": [payload["to"]]}
"""
)


@pytest.fixture
def build(project, monkeypatch):
    """Make this the build whose handlers the program has."""
    made = []

    def choose(text: str) -> None:
        name = f"build_{len(made)}"
        (project / f"{name}.py").write_text(HEAD + text)
        monkeypatch.setenv("JOBCORE_HANDLERS", name)
        made.append(name)

    yield choose
    for name in made:
        sys.modules.pop(name, None)


def enqueue(cli, data, tenant=TENANT):
    answer = cli("enqueue", "mail", "--tenant", tenant, "--data", data, "--json")
    assert answer.code == 0, answer.err
    return answer.document["job_id"]


def announce(start):
    """Let a worker of the present build start and stop."""
    worker = start("worker", until="jobs at a time")
    worker.signal()
    assert worker.wait() == 0


def test_a_build_that_cannot_take_what_waits_is_refused(cli, database, build):
    build(OLD)
    enqueue(cli, '{"to": "a@b"}')
    first = enqueue(cli, '{"to": "c@d"}', tenant=OTHER_TENANT)
    assert cli("check").code == 0
    build(NEW)
    answer = cli("check", "--json")
    assert answer.code == ExitCode.FAILED
    document = answer.document
    assert (document["failed"], document["jobs"], document["schedules"]) == (True, 2, 0)
    [failure] = document["failures"]
    assert (failure["handler"], failure["version"], failure["kind"], failure["count"]) == ("mail", 1, "job", 2)
    assert (failure["example"], failure["tenant"]) == (first, OTHER_TENANT)
    assert "recipients: Field required" in failure["reason"]
    assert "write one with @mail.upcast(from_version=1)" in failure["reason"]
    shown = cli("check")
    assert shown.code == ExitCode.FAILED
    assert shown.out.splitlines()[0].split() == [
        "handler", "version", "of", "count", "example", "tenant", "reason",
    ]  # fmt: skip
    assert f"mail     1        jobs  2      {failure['example']}" in shown.out
    assert "2 waiting jobs and 0 schedules of " in shown.out
    assert "2 payloads cannot be parsed in this build." in shown.out


def test_a_build_with_the_upcaster_is_accepted_and_runs_nothing(cli, database, build):
    build(OLD)
    job = enqueue(cli, '{"to": "a@b"}')
    cli("schedules", "add", "daily", "mail", "1 day", "--tenant", TENANT, "--data", '{"to": "a@b"}')
    build(UPCAST)
    answer = cli("check")
    assert answer.code == 0, answer.out
    assert "1 waiting job and 1 schedule of " in answer.out
    assert "every payload parses in this build." in answer.out
    assert cli("jobs", "show", job, "--tenant", TENANT, "--json").document["status"] == "queued"


def test_a_schedule_whose_payload_no_longer_parses_is_told(cli, database, build):
    build(OLD)
    assert cli("schedules", "add", "daily", "mail", "1 day", "--tenant", TENANT, "--data", '{"to": "a"}').code == 0
    build(NEW)
    answer = cli("check", "--json")
    assert answer.code == ExitCode.FAILED
    [failure] = answer.document["failures"]
    assert (failure["kind"], failure["example"], failure["count"]) == ("schedule", "daily", 1)


def test_a_job_of_a_newer_build_is_told_before_a_roll_back(cli, database, build):
    build(UPCAST)
    enqueue(cli, '{"recipients": ["a"]}')
    build(OLD)
    answer = cli("check", "--json")
    assert answer.code == ExitCode.FAILED
    [failure] = answer.document["failures"]
    assert failure["version"] == 2
    assert "this build knows version 1 at most" in failure["reason"]


def test_more_jobs_than_a_page_are_all_looked_at(cli, database, build, monkeypatch):
    build(OLD)
    monkeypatch.setattr("jobcore.app.payload_check.PAGE", 2)
    jobs = [enqueue(cli, '{"to": "a"}') for _ in range(5)]
    build(NEW)
    [failure] = cli("check", "--json").document["failures"]
    assert failure["count"] == 5
    assert failure["example"] == str(min(UUID(job) for job in jobs))


CHANGED = "the payload of 'mail' changed without a new version (it is 1): "


@pytest.mark.parametrize(
    ("later", "code", "strict", "told"),
    [
        (OLD, 0, 0, ""),
        (ANOTHER_FIELD, 0, 1, f"warning: {CHANGED}note: is gone; urgent: is new."),
        (REQUIRED_FIELD, 1, 1, f"error: {CHANGED}urgent: is new and required; note: is gone."),
        (NEW, 0, 0, ""),
    ],
)
def test_a_payload_that_changed_without_a_new_version_is_told(cli, database, build, start, later, code, strict, told):
    build(OLD)
    announce(start)
    build(later)
    answer = cli("check")
    assert answer.code == code
    assert told in answer.out
    assert ("changed" in answer.out) == bool(told)
    assert cli("check", "--strict").code == strict
    changes = cli("check", "--json").document["changes"]
    assert [change["breaks"] for change in changes] == ([bool(code)] if told else [])


def test_a_worker_of_a_changed_payload_announces_it_anew(cli, database, build, start):
    build(OLD)
    announce(start)
    build(ANOTHER_FIELD)
    announce(start)
    assert "changed" not in cli("check").out


def test_without_handlers_there_is_nothing_to_check(cli, project, monkeypatch):
    (project / "jobcore.toml").write_text('env = "development"\n')
    monkeypatch.setenv("JOBCORE_PLUGINS__ALLOW", "jobcore-postgres-storage,jobcore-pgboss-runner")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    answer = cli("check")
    assert answer.code == ExitCode.CONFIGURATION
    assert "No handler is registered here, so there is nothing to check: name modules" in answer.err
