"""`jobcore schedules`."""

import json

import psycopg
import pytest

from cli_constants import OTHER_TENANT, TENANT
from jobcore.cli.exit_codes import ExitCode

ADA = '{"name": "Ada"}'
ADD = ("schedules", "add", "nightly", "say-hello")
DATA = ("--tenant", TENANT, "--data", ADA)


def test_a_schedule_is_added_listed_paused_resumed_triggered_and_removed(cli, database):
    added = cli(*ADD, "30 2 * * *", *DATA, "--timezone", "Europe/Berlin", "--overlap", "skip", "--json").document
    assert (added["pattern"], added["timezone"], added["overlap"]) == ("30 2 * * *", "Europe/Berlin", "skip")
    assert added["payload"]["name"] == "Ada"
    [listed] = cli("schedules", "list", "--json").document["schedules"]
    assert listed["next_fire"]
    paused = cli("schedules", "pause", "nightly", "--tenant", TENANT)
    assert paused.code == 0
    assert "enabled  no" in paused.out
    job = cli("schedules", "trigger", "nightly", "--tenant", TENANT).out.strip()
    shown = cli("jobs", "show", job, "--tenant", TENANT, "--json").document
    assert (shown["type"], shown["trigger"]) == ("say-hello", "cronTrigger")
    assert "trigger   cronTrigger\n" in cli("jobs", "show", job, "--tenant", TENANT).out
    assert cli("schedules", "resume", "nightly", "--tenant", TENANT, "--json").document["enabled"] is True
    assert cli("schedules", "remove", "nightly", "--tenant", TENANT).code == 0
    assert cli("schedules", "list").out == "There is no schedule.\n"


def test_the_list_of_jobs_tells_what_asked_for_each(cli, database):
    cli(*ADD, "@daily", *DATA)
    cli("schedules", "trigger", "nightly", "--tenant", TENANT)
    cli("enqueue", "say-hello", *DATA)
    jobs = cli("jobs", "list", "--json").document["jobs"]
    assert [job["trigger"] for job in jobs] == ["adhoc", "cronTrigger"]


def test_adding_again_replaces(cli, database):
    cli(*ADD, "@daily", *DATA)
    cli(*ADD, "24 hours", *DATA, "--paused")
    [schedule] = cli("schedules", "list", "--json").document["schedules"]
    assert (schedule["pattern"], schedule["interval"], schedule["enabled"]) == (None, 86400.0, False)


def test_schedules_are_listed_by_tenant(cli, database):
    cli(*ADD, "@daily", *DATA)
    assert len(cli("schedules", "list", "--tenant", TENANT, "--json").document["schedules"]) == 1
    assert cli("schedules", "list", "--tenant", OTHER_TENANT, "--json").document["schedules"] == []
    assert "nightly" in cli("schedules", "list").out


GARBAGE = [
    pytest.param([*ADD, "61 * * * *", *DATA], ExitCode.USAGE, "minute, column 1: 61 is not from 0 to 59", id="cron"),
    pytest.param([*ADD, "0 25 * * *", *DATA], ExitCode.USAGE, "hour, column 3: 25", id="hour"),
    pytest.param([*ADD, "whenever", *DATA], ExitCode.USAGE, "neither a cron pattern", id="neither"),
    pytest.param([*ADD, "0.5 seconds", *DATA], ExitCode.USAGE, "0.5 seconds", id="interval"),
    pytest.param([*ADD, "@daily", *DATA, "--timezone", "Europe/Berln"], ExitCode.USAGE, "Europe/Berlin", id="zone"),
    pytest.param(
        ["schedules", "add", "k", "say-helo", "@daily", *DATA], ExitCode.NOT_FOUND, "'say-hello'", id="handler"
    ),
    pytest.param([*ADD, "@daily", "--data", ADA], ExitCode.USAGE, "tenantId is required", id="tenant"),
    pytest.param([*ADD, "@daily", "--tenant", TENANT], ExitCode.USAGE, "name: Field required", id="payload"),
    pytest.param([*ADD, "@daily", *DATA, "--missed", "some"], ExitCode.USAGE, "'some' is not one of", id="missed"),
    pytest.param([*ADD, "@daily", *DATA, "--missed-limit", "0"], ExitCode.USAGE, "missed_limit", id="limit"),
    pytest.param([*ADD, "@daily", *DATA, "--runner", "nope"], ExitCode.CONFIGURATION, "nope", id="runner"),
    pytest.param(["schedules", "pause", "none"], ExitCode.NOT_FOUND, "none", id="pause"),
    pytest.param(["schedules", "resume", "none"], ExitCode.NOT_FOUND, "none", id="resume"),
    pytest.param(["schedules", "trigger", "none"], ExitCode.NOT_FOUND, "none", id="trigger"),
    pytest.param(["schedules", "remove", "none"], ExitCode.NOT_FOUND, "has no schedule 'none'", id="remove"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), GARBAGE)
def test_garbage_gets_a_message_that_helps(cli, database, arguments, code, message):
    answer = cli(*arguments)
    assert message in answer.err
    assert (answer.code, answer.out) == (code, "")
    with psycopg.connect(database) as connection:
        assert connection.execute("select count(*) from cron_jobs").fetchone() == (0,)


def test_a_preview_needs_no_database_and_shows_what_daylight_saving_does(cli):
    answer = cli(
        "schedules", "preview", "30 2 * * *", "--timezone", "Europe/Berlin", "--from", "2026-03-28T12:00:00Z", "--json"
    )
    fires = answer.document["fires"]
    assert [fire["fire"] for fire in fires][:2] == ["2026-03-29T01:00:00+00:00", "2026-03-30T00:30:00+00:00"]
    assert "does not exist" in fires[0]["note"]


def test_a_preview_of_an_interval_is_true_to_it(cli):
    answer = cli("schedules", "preview", "90 seconds", "--from", "2026-01-01T00:00:00Z", "--count", "2")
    assert "2026-01-01 00:01:30Z" in answer.out
    assert "2026-01-01 00:03:00Z" in answer.out


@pytest.mark.parametrize(("when", "message"), [("* * *", "'* * *'"), ("0 0 31 2 *", "0 0 31 2 *")])
def test_a_preview_of_what_never_fires_or_does_not_parse_says_why(cli, when, message):
    answer = cli("schedules", "preview", when, "--json")
    assert answer.code == ExitCode.USAGE
    assert message in json.loads(answer.out)["error"]["message"]
