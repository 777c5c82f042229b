"""The names of the founding documents exist, and the page of faces tells them."""

from __future__ import annotations

import re

import pytest

import jobcore
from jobcore.app import JobRunnerFace
from jobcore_postgres.service import JobService
from support.samples import ROOT

PAGE = (ROOT / "docs" / "reference" / "faces.md").read_text(encoding="utf-8")

METHODS = {
    JobRunnerFace: (
        "register_handler schedule_job schedule_job_at schedule_recurring_job cancel_job get_job_status start stop "
        "is_healthy get_runner_type"
    ),
    jobcore.JobRunnerFactory: "get_instance create_job_runner",
    jobcore.JobHandlerRegistry: "register get has get_config execute get_registered_names",
    jobcore.JobScheduler: (
        "get_instance register_job_handler schedule_immediate_job schedule_scheduled_job schedule_recurring_job"
    ),
    jobcore.PatternScheduler: (
        "register_cron register_interval register_delayed trigger start shutdown get_health get_queue_size"
    ),
    JobService: "create_job update_job_status create_job_detail",
}
FUNCTIONS = (
    "initialize_job_runner register_all_job_handlers get_available_job_handlers initialize_job_handlers_for_worker "
    "make_job enqueue_job"
)


@pytest.mark.parametrize(
    ("face", "name"), [(face, name) for face, names in METHODS.items() for name in names.split()], ids=str
)
def test_each_method_of_the_documents_exists_and_is_told(face: type, name: str):
    assert callable(getattr(face, name))
    assert re.search(rf"\b{name}\b", PAGE)


@pytest.mark.parametrize("name", FUNCTIONS.split())
def test_each_function_of_the_documents_exists_and_is_told(name: str):
    assert callable(getattr(jobcore, name))
    assert re.search(rf"\b{name}\b", PAGE)
