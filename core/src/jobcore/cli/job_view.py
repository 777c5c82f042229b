"""How one job looks: the words that `enqueue`, `jobs show` and `jobs wait` share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from jobcore.cli import output
from jobcore.cli.documents import detail_document, job_document
from jobcore.cli.exit_codes import ExitCode
from jobcore.models import DetailRecord, JobRecord
from jobcore.ports.reasons import Reason
from jobcore.states import JobState


def show_job(
    job: JobRecord, details: Sequence[DetailRecord] = (), waits_for: Sequence[Reason] = (), *, as_json: bool
) -> None:
    """Print a job, and its details and what it waits for if there are any."""
    if as_json:
        waiting = {"waits_for": {reason.code: reason.summary for reason in waits_for}} if waits_for else {}
        details_told = [detail_document(detail) for detail in details]
        output.show_document({**job_document(job), **waiting, "details": details_told})
        return
    output.show_fields(_fields(job, waits_for))
    if details:
        output.show_line()
        output.show_table(
            ("step", "status", "at", "retries", "result"),
            [(row.step_name, row.status, row.processed_at, row.retry_count, _brief(row.result)) for row in details],
            empty="",
        )


def code_of(job: JobRecord) -> ExitCode:
    """Return the exit code for a job that was waited for."""
    return ExitCode.OK if job.status is JobState.COMPLETED else ExitCode.FAILED


def _fields(job: JobRecord, waits_for: Sequence[Reason]) -> list[tuple[str, Any]]:
    return [
        ("job", job.job_id),
        ("name", job.type),
        ("tenant", job.tenant),
        ("status", job.status.value),
        ("waits for", "\n".join(f"{reason.code}: {reason.summary}" for reason in waits_for)),
        ("progress", None if job.progress is None else f"{job.progress:g} % {job.progress_message or ''}".rstrip()),
        ("attempt", f"{job.attempt} of {job.max_attempts}" if job.attempt else f"none yet of {job.max_attempts}"),
        ("rescues", job.rescues or None),
        ("runner", job.runner_type),
        ("known there as", job.external_id),
        ("queue", job.queue),
        ("priority", job.priority or None),
        ("created", job.created_at),
        ("run at", job.run_at),
        ("started", job.started_at),
        ("ended", job.completed_at),
        ("cancel asked", job.cancel_requested),
        ("dedupe key", job.dedupe_key),
        ("parent", job.parent_job_id),
        ("trigger", job.trigger.value),
        ("fire", job.fire_time),
        ("metadata", job.metadata or None),
        ("payload", job.payload),
        ("result", job.result),
        *_error_fields(job),
    ]


def _error_fields(job: JobRecord) -> list[tuple[str, Any]]:
    error = job.error or {}
    headline = ": ".join(str(error[key]) for key in ("type", "message", "reason") if error.get(key))
    return [
        ("error", headline),
        ("handler", error.get("handler")),
        ("traceback", str(error.get("traceback") or "").rstrip()),
    ]


def _brief(value: Any) -> Any:
    """Return a detail's result; of an error its type and message, for the traceback is in `--json`."""
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    return {name: item for name, item in fields.items() if name != "traceback"}
