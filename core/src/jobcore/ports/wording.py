"""How reasons word instants, errors, lists and commands, so that all of them sound alike."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from shlex import quote
from uuid import UUID

from jobcore.ids import SYSTEM_TENANT
from jobcore.models import JobRecord, PauseKind

LONGEST_ERROR = 200
"""Characters of an error that a sentence quotes; `jobcore jobs show` has all of it."""
LONGEST_LIST = 5
MOST_COUNTED = 10_000
"""Jobs before another; nobody waits for a better number, and engines need not count on."""


def instant(at: datetime) -> str:
    """Return `2026-05-01 09:30:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def span(seconds: float) -> str:
    """Return a duration roughly: `40 s`, `5 min`, `3 h`, `2 days`."""
    for unit, name in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{max(0.0, seconds):.0f} s"


def counted(number: int, thing: str) -> str:
    """Return `1 job`, `3 jobs`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def listed(things: Iterable[object]) -> str:
    """Return `a, b, c`, and how many more there are."""
    words = [str(thing) for thing in things]
    more = len(words) - LONGEST_LIST
    return ", ".join(words[:LONGEST_LIST]) + (f" and {more} more" if more > 0 else "")


def last_error(job: JobRecord) -> str:
    """Return type and first line of what the last attempt died of; empty if there is none. It was stored redacted."""
    error = job.error or {}
    text = ": ".join(str(error[key]) for key in ("type", "message", "reason") if error.get(key))
    first = text.strip().partition("\n")[0]
    return first if len(first) <= LONGEST_ERROR else f"{first[: LONGEST_ERROR - 1]}…"


def command(verb: str, job: JobRecord) -> str:
    """Return the command that does something to this job, to be copied."""
    return command_of(verb, job.tenant, job.job_id)


def command_of(verb: str, tenant: UUID, job_id: UUID) -> str:
    """As `command`, for a job of which only the ids are known."""
    return f"`jobcore jobs {verb} {_named(tenant, job_id)}`"


def why_command(tenant: UUID, job_id: UUID) -> str:
    """Return the command that asks the same of another job."""
    return f"`jobcore why {_named(tenant, job_id)}`"


def pause_command(verb: str, kind: PauseKind, name: str) -> str:
    """Return the command that pauses or resumes something."""
    shown = tenant_name(UUID(name)) if kind is PauseKind.TENANT else name
    return f"`jobcore {verb} --{kind} {quote(shown)}`"


def tenant_name(tenant: UUID) -> str:
    """Return a tenant as it is written on the command line."""
    return "system" if tenant == SYSTEM_TENANT else str(tenant)


def _named(tenant: UUID, job_id: UUID) -> str:
    return f"{job_id}" if tenant == SYSTEM_TENANT else f"{job_id} --tenant {tenant}"


def standing_before(ahead: int, own: int, *, for_operator: bool) -> str:
    """Return how many jobs come first; a tenant is told the number of its own only.

    Args:
        ahead, own: how many jobs of all tenants, and of the job's own.
    """
    if not for_operator and own == 0:
        return "Other jobs of the queue stand before it"
    number = ahead if for_operator else own
    whose = "of the queue" if for_operator else "of its tenant"
    many = counted(number, "job") if number <= MOST_COUNTED else f"More than {MOST_COUNTED:,} jobs"
    return f"{many} {whose} stand{'s' if number == 1 else ''} before it"
