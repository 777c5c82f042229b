"""`jobcore quotas list`, `set` and `clear`."""

from __future__ import annotations

import pytest

from cli_constants import TENANT
from jobcore.cli.exit_codes import ExitCode


@pytest.mark.parametrize(
    ("options", "tenant", "name"),
    [
        (("--tenant", TENANT), TENANT, TENANT),
        (("--tenant", "system"), "00000000-0000-0000-0000-000000000000", "system"),
        (("--default",), None, "default"),
    ],
)
def test_a_quota_is_set_listed_and_cleared(cli, database, options, tenant, name):
    assert cli("quotas", "list").out == "No tenant has a quota.\n"
    made = cli("quotas", "set", *options, "--waiting", "10000", "--schedules", "5", "--json")
    assert made.code == 0, made.err
    limits = {"tenant": tenant, "waiting": 10_000, "enqueues_per_second": None, "schedules": 5}
    assert made.document == limits
    [listed] = cli("quotas", "list", "--json").document["quotas"]
    assert listed.pop("set_at")
    assert listed == limits
    assert f"{name} " in (told := cli("quotas", "list").out)
    assert "10,000   any                5" in told

    assert cli("quotas", "clear", *options).out == f"Cleared the quota of {name}.\n"
    again = cli("quotas", "clear", *options, "--json")
    assert (again.code, again.document) == (ExitCode.FAILED, {"tenant": tenant, "done": False})


@pytest.mark.parametrize("command", ["set", "clear"])
@pytest.mark.parametrize("options", [(), ("--default", "--tenant", TENANT), ("--tenant", "acme")])
def test_one_tenant_or_the_default_is_named(cli, database, command, options):
    answer = cli("quotas", command, *options)
    assert answer.code == ExitCode.USAGE
    assert "Name either --tenant, or --default" in answer.err or "A tenant id is a UUID" in answer.err


def test_a_limit_below_zero_is_refused(cli, database):
    assert cli("quotas", "set", "--default", "--waiting=-1").code == ExitCode.USAGE


def test_an_enqueue_beyond_the_quota_fails_and_says_why(cli, database):
    assert cli("quotas", "set", "--tenant", TENANT, "--waiting", "0").code == 0
    answer = cli("enqueue", "say-hello", "--tenant", TENANT, "--data", '{"name": "Ada"}', "--json")
    assert answer.code == ExitCode.FAILED
    assert answer.document["error"]["type"] == "QuotaExceededError"
    assert "has 0 jobs waiting, of 0 at most" in answer.document["error"]["message"]
