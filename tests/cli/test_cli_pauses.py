"""`jobcore pause`, `resume` and `pauses`, and where pauses show elsewhere."""

from __future__ import annotations

from getpass import getuser

import pytest

from cli_constants import TENANT
from jobcore.cli.exit_codes import ExitCode

ADA = '{"name": "Ada"}'


def enqueue(cli, *options):
    answer = cli("enqueue", "say-hello", "--tenant", TENANT, "--data", ADA, "--json", *options)
    assert answer.code == 0, answer.err
    return answer.document["job_id"]


@pytest.mark.parametrize(
    ("options", "kind", "name", "words"),
    [
        (("--queue", "say-hello"), "queue", "say-hello", "queue say-hello"),
        (("--handler", "say-hello"), "handler", "say-hello", "handler say-hello"),
        (("--tenant", TENANT), "tenant", TENANT, f"tenant {TENANT}"),
        (("--tenant", "system"), "tenant", "00000000-0000-0000-0000-000000000000", "tenant system"),
    ],
)
def test_a_pause_is_recorded_with_who_and_why_and_lifted_again(cli, database, options, kind, name, words):
    assert cli("pauses").out == "Nothing is paused.\n"
    made = cli("pause", *options, "--reason", "a migration", "--json")
    assert made.code == 0, made.err
    [listed] = cli("pauses", "--json").document["pauses"]
    assert made.document == {**listed, "done": True}
    assert (listed["kind"], listed["name"], listed["reason"]) == (kind, name, "a migration")
    assert listed["paused_by"] == getuser()
    assert listed["paused_at"]
    assert words in cli("pauses").out

    again = cli("pause", *options, "--reason", "another one")
    assert again.code == ExitCode.FAILED
    assert again.out.startswith(f"{words}: was paused already since 20")
    assert again.out.endswith(f" by {getuser()}: a migration\n")

    assert (cli("resume", *options)).out == f"{words}: goes on\n"
    refused = cli("resume", *options, "--json")
    assert (refused.code, refused.document) == (ExitCode.FAILED, {"kind": kind, "name": name, "done": False})
    assert cli("pauses", "--json").document == {"pauses": []}


@pytest.mark.parametrize("command", ["pause", "resume"])
@pytest.mark.parametrize("options", [(), ("--queue", "a", "--tenant", "system")])
def test_one_thing_at_a_time_is_paused_or_resumed(cli, database, command, options):
    answer = cli(command, *options)
    assert answer.code == ExitCode.USAGE
    assert "Name one of --queue, --handler and --tenant" in answer.err


@pytest.mark.parametrize("options", [("--queue", "no queue!"), ("--handler", ""), ("--tenant", "acme")])
def test_what_cannot_be_a_name_is_refused(cli, database, options):
    assert cli("pause", *options).code == ExitCode.USAGE
    assert cli("pauses", "--json").document == {"pauses": []}


def test_a_job_of_a_paused_queue_says_so_and_runs_once_it_goes_on(cli, database, start):
    cli("pause", "--queue", "say-hello", "--reason", "the provider is down")
    job = enqueue(cli)
    start("worker", until="jobs at a time")
    told = cli("why", job, "--tenant", TENANT)
    assert told.code == ExitCode.FAILED
    assert "blocked  paused  The queue 'say-hello' has been paused since " in told.out
    assert "→ Let it go on: `jobcore resume --queue say-hello`." in told.out
    shown = cli("jobs", "show", job, "--tenant", TENANT).out
    assert "waits for  paused: The queue 'say-hello' has been paused since " in shown
    assert list(cli("jobs", "show", job, "--tenant", TENANT, "--json").document["waits_for"]) == ["paused"]

    assert cli("resume", "--queue", "say-hello").code == 0
    assert cli("jobs", "wait", job, "--tenant", TENANT, "--timeout", "20").code == 0
    shown = cli("jobs", "show", job, "--tenant", TENANT, "--json").document
    assert shown["status"] == "completed"
    assert "waits_for" not in shown


def test_paused_queues_are_marked_also_where_nothing_waits(cli, database):
    cli("pause", "--queue", "mail")
    cli("pause", "--handler", "say-hello")
    enqueue(cli)
    rows = {row["queue"]: row for row in cli("queues", "--json").document["queues"]}
    assert {queue: row["paused"] for queue, row in rows.items()} == {"mail": True, "say-hello": False}
    assert rows["say-hello"]["waiting"] == 1
    [header, mail, hello] = cli("queues").out.splitlines()
    assert header.endswith("paused")
    assert (mail.split()[-1], hello.split()[-1]) == ("yes", "no")


def test_doctor_tells_of_pauses_and_finds_no_fault_in_them(cli, database):
    def told():
        [check] = [check for check in cli("doctor", "--json").document["checks"] if check["name"] == "pauses"]
        assert check["verdict"] == "ok"
        return check["message"]

    assert told() == "nothing is paused"
    cli("pause", "--queue", "mail", "--reason", "a migration")
    cli("pause", "--tenant", "system")
    first, second = told().split("\n")
    assert first.startswith("queue mail since 20")
    assert first.endswith(f" by {getuser()}: a migration")
    assert second.startswith("tenant system since 20")
