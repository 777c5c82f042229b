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


def test_a_schedule_is_shown_with_what_it_was_given(cli, database):
    options = ("--missed", "all", "--missed-limit", "7", "--overlap", "cancel_running", "--jitter", "30s")
    out = cli(*ADD, "@daily", *DATA, *options, "--max-attempts", "5", "--backoff", "2s").out
    shown = [line.split("  ", 1) for line in out.splitlines()[1:]]
    fields = {name: value.strip() for name, value in shown}
    assert fields["missed"] == "all, the newest 7"
    assert (fields["overlap"], fields["jitter"]) == ("cancel_running", "30 s")
    assert (fields["attempts"], fields["backoff"]) == ("5", "2 s")
    assert "every 24 hours\n" in cli(*ADD, "24 hours", *DATA).out


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


def test_a_preview_of_a_pattern_needs_no_database_and_shows_what_daylight_saving_does(cli):
    new_york = ("--timezone", "America/New_York", "--from", "2026-03-07T12:00:00Z")
    answer = cli("schedules", "preview", "--pattern", "30 2 * * *", *new_york, "--count", "2")
    assert answer.out.splitlines() == [
        "30 2 * * * in America/New_York",
        "",
        "local (America/New_York)       UTC                   note",
        "Sun 2026-03-08 03:00:00-04:00  2026-03-08 07:00:00Z  02:30 does not exist on this day: fires at 03:00",
        "Mon 2026-03-09 02:30:00-04:00  2026-03-09 06:30:00Z",
    ]
    document = cli("schedules", "preview", "--pattern", "30 2 * * *", *new_york, "--json").document
    assert (document["key"], document["pattern"], document["timezone"]) == (None, "30 2 * * *", "America/New_York")
    assert len(document["fires"]) == 20
    assert document["fires"][0] == {
        "fire": "2026-03-08T07:00:00+00:00",
        "local": "2026-03-08T03:00:00-04:00",
        "note": "02:30 does not exist on this day: fires at 03:00",
    }


def test_a_preview_of_an_interval_is_true_to_it(cli):
    answer = cli("schedules", "preview", "--pattern", "90 seconds", "--from", "2026-01-01T00:00:00Z", "--count", "2")
    assert "every 90 s\n" in answer.out
    assert "2026-01-01 00:01:30Z" in answer.out
    assert "2026-01-01 00:03:00Z" in answer.out


def test_a_preview_of_a_schedule_shows_its_own_zone_grid_pause_and_jitter(cli, database):
    cli(*ADD, "30 2 * * *", *DATA, "--timezone", "Europe/Berlin", "--jitter", "90s", "--paused")
    preview = ("schedules", "preview", "nightly", "--tenant", TENANT, "--from", "2026-10-24T12:00:00Z")
    out = cli(*preview).out
    assert out.startswith("nightly: 30 2 * * * in Europe/Berlin\n")
    assert "paused" in out
    assert "up to 90 s later" in out
    assert "Sun 2026-10-25 02:30:00+02:00  2026-10-25 00:30:00Z  02:30 occurs twice: fires once, the first time" in out
    made = cli("schedules", "add", "often", "say-hello", "90 minutes", *DATA, "--json").document
    fires = cli("schedules", "preview", "often", "--tenant", TENANT, "--json").document["fires"]
    assert fires[0]["fire"] == made["next_fire"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--pattern", "* * *"], ExitCode.USAGE, "'* * *'"),
        (["--pattern", "0 0 31 2 *"], ExitCode.USAGE, "0 0 31 2 *"),
        (["--pattern", "@daily", "--timezone", "Europe/Berln"], ExitCode.USAGE, "Europe/Berlin"),
        (["--pattern", "@daily", "--from", "2026-01-01"], ExitCode.USAGE, "no time zone"),
        (["--pattern", "@daily", "nightly"], ExitCode.USAGE, "not both"),
        ([], ExitCode.USAGE, "--pattern"),
        (["30 2 * * *"], ExitCode.USAGE, "write --pattern '30 2 * * *'"),
        (["nightly", "--timezone", "UTC"], ExitCode.USAGE, "a zone of its own"),
    ],
)
def test_a_preview_that_cannot_be_says_why(cli, arguments, code, message):
    answer = cli("schedules", "preview", *arguments, "--json")
    assert answer.code == code
    assert message in json.loads(answer.out)["error"]["message"]


def test_a_preview_of_a_schedule_that_is_not_there_names_those_that_are(cli, database):
    cli(*ADD, "@daily", *DATA)
    answer = cli("schedules", "preview", "nightli", "--tenant", TENANT)
    assert (answer.code, answer.out) == (ExitCode.NOT_FOUND, "")
    assert "'nightly'" in answer.err
