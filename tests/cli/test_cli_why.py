"""`jobcore why`: the reasons on the screen, as a document, and in the exit code."""

from __future__ import annotations

from textwrap import dedent
from uuid import uuid4

import psycopg
import pytest

from cli_constants import OTHER_TENANT, TENANT
from jobcore.app import assembly
from jobcore.cli.exit_codes import ExitCode

ADA = '{"name": "Ada"}'
PLUGIN = """
import asyncio
from jobcore.plugins.hooks import hookimpl
from jobcore.ports import Reason, Severity


class SpentBudget:
    async def explain(self, question):
        return Reason(
            severity=Severity.BLOCKED,
            summary="This month's budget is spent, says \\x1b[31macme\\x1b[0m.",
            remedy="Raise the budget.",
            facts={"budget": 500},
        )


class Broken:
    async def explain(self, question):
        raise KeyError("password=hunter2")


@hookimpl
def jobcore_register_reasons(registry):
    registry.add("spent_budget", SpentBudget())
    registry.add("broken", Broken())
"""


def enqueue(cli, name, *options, tenant=TENANT):
    answer = cli("enqueue", name, "--tenant", tenant, "--json", *options)
    assert answer.code == 0, answer.err
    return answer.document["job_id"]


def codes(answer):
    return [reason["code"] for reason in answer.document["reasons"]]


@pytest.fixture
def acme(project, monkeypatch):
    """A distribution of somebody else's, with two reasons."""
    folder = project / "site-packages"
    package, info = folder / "acme_budget", folder / "acme_budget-1.0.dist-info"
    for path in (package, info):
        path.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "plugin.py").write_text(dedent(PLUGIN))
    (package / "jobcore-plugin.toml").write_text('api = ">=1,<2"\n')
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-budget\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[jobcore]\nacme = acme_budget.plugin\n")
    monkeypatch.syspath_prepend(str(folder))
    assembly._plugin_manager.cache_clear()  # it scanned before this was installed
    yield
    assembly._plugin_manager.cache_clear()


def test_a_job_without_a_worker_says_so_and_exits_with_1(cli, database):
    job = enqueue(cli, "say-hello", "--data", ADA, tenant="system")
    answer = cli("why", job)
    assert answer.code == ExitCode.FAILED
    assert answer.out.startswith(f"say-hello {job} of tenant system is queued (runner pgboss, queue say-hello).\n\n")
    assert "blocked  no_worker  No worker is live.\n" in answer.out
    assert "→ Start one that has the handler 'say-hello': `jobcore worker`." in answer.out


def test_a_job_that_waits_for_its_time_exits_with_0_once_a_worker_lives(cli, database, start):
    job = enqueue(cli, "say-hello", "--data", ADA, "--delay", "1 hour")
    assert cli("why", job, "--tenant", TENANT).code == ExitCode.FAILED
    start("worker", until="jobs at a time")
    answer = cli("why", job, "--tenant", TENANT, "--json")
    assert (answer.code, codes(answer)) == (0, ["not_due"])
    document = answer.document
    assert (document["job_id"], document["tenant"], document["status"]) == (job, TENANT, "queued")
    assert document["needs_attention"] is False
    [reason] = document["reasons"]
    assert (reason["severity"], reason["facts"]["retries"]) == ("waiting", False)


def test_a_running_job_names_the_workers_process(cli, database, start, project, wait_until):
    worker = start("worker", until="jobs at a time")
    job = enqueue(cli, "hold", tenant="system")
    wait_until((project / "running-1").exists)
    wait_until(lambda: f":{worker.process.pid})" in cli("why", job).out)
    answer = cli("why", job)
    assert answer.code == 0
    assert "info     running  It is running since " in answer.out
    (project / "release").touch()
    cli("jobs", "wait", job)
    assert codes(cli("why", job, "--json")) == ["ended"]


def test_a_payload_that_no_longer_fits_is_told_without_its_values(cli, database, project):
    job = enqueue(cli, "say-hello", "--data", ADA)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("""update jobs set payload = payload || '{"times": "hunter2"}' where job_id = %s""", (job,))
    answer = cli("why", job, "--tenant", TENANT)
    assert "so it will fail (times: int_parsing)" in answer.out
    assert "hunter2" not in answer.out


def test_handlers_that_cannot_be_imported_hide_no_reason(cli, database, project, monkeypatch):
    job = enqueue(cli, "say-hello", "--data", ADA)
    monkeypatch.setenv("JOBCORE_HANDLERS", "not_there_any_more")
    answer = cli("why", job, "--tenant", TENANT, "--json")
    assert codes(answer) == ["no_worker"]
    assert "The payload is not looked at: " in answer.err
    assert "'not_there_any_more' cannot be imported" in answer.err


def test_a_third_partys_reason_stands_there_and_one_that_raises_hides_no_other(cli, database, acme):
    job = enqueue(cli, "say-hello", "--data", ADA)
    answer = cli("why", job, "--tenant", TENANT)
    assert answer.code == ExitCode.FAILED
    assert "blocked  spent_budget  This month's budget is spent, says \\x1b[31macme" in answer.out
    assert "→ Raise the budget." in answer.out
    assert "blocked  no_worker     No worker is live." in answer.out
    assert (
        "unknown  broken        Whether this keeps it is not known: the finder of acme-budget 1.0 raised" in answer.out
    )
    assert "hunter2" not in answer.out
    document = cli("why", job, "--tenant", TENANT, "--json").document
    assert {reason["code"]: reason["facts"] for reason in document["reasons"]}["spent_budget"] == {"budget": 500}


def test_commands_stay_in_one_line_to_be_copied(cli, database):
    enqueue(cli, "say-hello", "--data", ADA)
    job = enqueue(cli, "say-hello", "--data", ADA, "--dedupe-key", "a-key")
    assert f"`jobcore jobs cancel {job} --tenant {TENANT}`" in cli("why", job, "--tenant", TENANT).out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((str(uuid4()),), ExitCode.NOT_FOUND, "has no job"),
        (("no-id",), ExitCode.USAGE, "valid UUID"),
        ((str(uuid4()), "--tenant", "acme"), ExitCode.USAGE, "A tenant id is a UUID or 'system'"),
    ],
)
def test_what_cannot_be_asked_is_refused(cli, database, arguments, code, message):
    answer = cli("why", *arguments)
    assert answer.code == code
    assert message in answer.err


def test_another_tenants_job_is_not_found(cli, database):
    job = enqueue(cli, "say-hello", "--data", ADA)
    assert cli("why", job, "--tenant", OTHER_TENANT).code == ExitCode.NOT_FOUND


def test_a_database_that_is_away_is_told_once(cli, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:1/none")
    answer = cli("why", str(uuid4()))
    assert answer.code == ExitCode.UNREACHABLE
    assert "hunter2" not in answer.err
