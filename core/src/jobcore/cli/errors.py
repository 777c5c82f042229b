"""Turns errors into one clear message and an exit code; nobody sees a traceback who did not ask for one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobcore.cli.exit_codes import ExitCode
from jobcore.errors import (
    ConfigurationError,
    HandlerNotFoundError,
    InputError,
    InvalidHandlerError,
    JobcoreError,
    JobNotFoundError,
    PayloadInvalidError,
    PluginError,
    ResultTimeoutError,
    ScheduleNotFoundError,
    SchemaVersionError,
    StorageUnavailableError,
    TenantRequiredError,
)

_CODES: tuple[tuple[type[JobcoreError], ExitCode], ...] = (
    (HandlerNotFoundError, ExitCode.NOT_FOUND),
    (JobNotFoundError, ExitCode.NOT_FOUND),
    (ScheduleNotFoundError, ExitCode.NOT_FOUND),
    (ResultTimeoutError, ExitCode.TIMED_OUT),
    (StorageUnavailableError, ExitCode.UNREACHABLE),
    (SchemaVersionError, ExitCode.SCHEMA),
    (InputError, ExitCode.USAGE),
    (InvalidHandlerError, ExitCode.CONFIGURATION),
    (ConfigurationError, ExitCode.CONFIGURATION),
    (PluginError, ExitCode.CONFIGURATION),
    (JobcoreError, ExitCode.FAILED),
)
"""The first that fits counts."""


_OF_A_TENANT = (
    "If it is a tenant's, name that: --tenant UUID. The lists of jobs and of schedules show whose each one is."
)

_HINTS: tuple[tuple[type[JobcoreError], str], ...] = (
    (JobNotFoundError, _OF_A_TENANT),
    (ScheduleNotFoundError, _OF_A_TENANT),
    (TenantRequiredError, "Name the tenant: --tenant UUID, or --tenant system."),
)
"""What is to be added for people at a command line."""


class PluginNotFoundError(PluginError):
    """No installed plugin has the name that was asked for."""


class UsageError(InputError):
    """Arguments or options that do not go together; raised before anything is done."""


@dataclass(frozen=True, slots=True)
class Failure:
    """How a command failed."""

    kind: str
    message: str
    code: int
    hint: str = ""
    facts: tuple[tuple[str, Any], ...] = ()
    """What scripts may want to know: field problems, near names."""

    def as_document(self) -> dict[str, Any]:
        """Return what `--json` prints instead of the result."""
        return {"error": {"type": self.kind, "message": self.message, "exit_code": self.code, **dict(self.facts)}}


def failure_of(error: JobcoreError) -> Failure:
    """Return what to tell of an error that jobcore raised on purpose."""
    hint = next((text for kind, text in _HINTS if isinstance(error, kind)), "")
    return Failure(type(error).__name__, str(error), _code_of(error), hint, _facts_of(error))


def failure_of_usage(error: Any) -> Failure:
    """Return what to tell of arguments that typer refused."""
    context = getattr(error, "ctx", None)
    hint = f"Try '{context.command_path} --help'." if context is not None else ""
    return Failure("UsageError", str(error.format_message()), int(error.exit_code), hint)


def failure_of_fault(error: Exception) -> Failure:
    """Return what to tell of an error that nobody foresaw. Texts of drivers may hold secrets, so they are redacted."""
    from jobcore.redaction import redact_text

    told = redact_text(f"{type(error).__name__}: {error}".rstrip(": "))
    return Failure("InternalError", f"Unexpected {told}", ExitCode.INTERNAL, "Run it again with --debug to see where.")


def _code_of(error: JobcoreError) -> ExitCode:
    if isinstance(error, PluginNotFoundError):
        return ExitCode.NOT_FOUND
    return next(code for kind, code in _CODES if isinstance(error, kind))


def _facts_of(error: JobcoreError) -> tuple[tuple[str, Any], ...]:
    if isinstance(error, PayloadInvalidError):
        return (("problems", [{"path": item.path, "message": item.message} for item in error.problems]),)
    if isinstance(error, HandlerNotFoundError):
        return (("near", list(error.near)),)
    return ()
