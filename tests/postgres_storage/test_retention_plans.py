"""How retention finds the old jobs: by the index of (tenant, created_at), and no other work than it must."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from postgres_storage.builders import OTHER_TENANT, TENANT
from postgres_storage.retained import DAY, make_jobs


@pytest.fixture
def history(admin: psycopg.Connection) -> None:
    """Old and young jobs of two tenants."""
    for tenant in (TENANT, OTHER_TENANT):
        make_jobs(admin, 3000, tenant=tenant, details=True)
        make_jobs(admin, 3000, tenant=tenant, made=1 * DAY)
    admin.execute("vacuum analyze jobs")
    admin.execute("vacuum analyze job_details")


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def plans_within(admin: psycopg.Connection, query: str) -> list[dict[str, Any]]:
    """Return the nodes of all plans that a call runs, those of functions too."""
    notices: list[str] = []
    admin.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    with admin.transaction():
        admin.execute("load 'auto_explain'")
        for name, value in (
            ("log_min_duration", "0"),
            ("log_nested_statements", "on"),
            ("log_analyze", "on"),
            ("log_format", "json"),
            ("log_level", "notice"),
        ):
            admin.execute(f"set local auto_explain.{name} = {value}".encode())
        admin.execute(query.encode())
    found = [notice[notice.index("{") :] for notice in notices if "plan:" in notice]
    return [node for text in found for node in nodes(json.loads(text)["Plan"])]


def test_a_batch_reads_the_old_jobs_in_order_and_few_of_them(admin: psycopg.Connection, history: None) -> None:
    read = plans_within(
        admin, f"select * from jobcore.job_prune('{TENANT}', 'completed', 2592000000, '-infinity', 500, 50)"
    )
    assert not [node for node in read if node["Node Type"] == "Seq Scan"]
    walked = [node for node in read if node.get("Index Name") == "jobs_by_tenant"]
    assert [node["Scan Direction"] for node in walked] == ["Backward"]
    assert walked[0]["Actual Rows"] <= 500
    assert {node["Index Name"] for node in read if "Index Name" in node} <= {
        "jobs_by_tenant", "jobs_pkey", "jobs_by_parent", "job_details_slots", "job_details_pkey", "dependencies_pkey",
        "dependencies_by_child", "dependencies_open",
    }  # fmt: skip


def test_looking_for_what_is_due_reads_one_job_a_tenant_and_state(admin: psycopg.Connection, history: None) -> None:
    month = 30 * 86_400_000
    read = plans_within(
        admin,
        f"select * from jobcore.retention_due('{{\"completed\": {month}, \"failed\": {month}}}', interval '1 day')",
    )
    from_jobs = [node for node in read if node.get("Relation Name") == "jobs"]
    assert from_jobs
    assert {node["Node Type"] for node in from_jobs} <= {"Index Scan", "Index Only Scan"}
    assert all(node["Actual Rows"] <= 1 for node in from_jobs)


def test_without_rules_no_job_is_read(admin: psycopg.Connection, history: None) -> None:
    read = plans_within(admin, "select * from jobcore.retention_due('{\"completed\": null}', interval '1 day')")
    assert not [node for node in read if node.get("Relation Name") == "jobs" and node["Actual Loops"]]
