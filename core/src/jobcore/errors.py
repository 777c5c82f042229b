"""Every error that jobcore raises on purpose.

One root, `JobcoreError`; a caller catches as wide or as narrow as it needs. A message says what happened, to which
thing, and what to do next. Messages never hold a secret: settings hide theirs before they get here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from uuid import UUID


class JobcoreError(Exception):
    """The root of all errors that jobcore raises on purpose."""


class ConfigurationError(JobcoreError):
    """A setting is missing or wrong, or two settings contradict each other."""


class EditionError(ConfigurationError):
    """The edition in force does not include what was asked for."""


# -- plugins -----------------------------------------------------------------------------------------------------------


class PluginError(JobcoreError):
    """A plugin cannot be used, or was used against its contract."""


class RequiredPluginError(PluginError):
    """A plugin that the configuration needs is missing, disabled, incompatible or failed."""


class UnknownRunnerError(PluginError):
    """No plugin registered the runner that was asked for."""


class UnknownStorageError(PluginError):
    """No plugin registered the storage that was asked for."""


class ConflictError(PluginError):
    """Two distributions register the same thing; the message names both, with their versions."""


# -- handlers ----------------------------------------------------------------------------------------------------------


class HandlerError(JobcoreError):
    """A handler is defined, registered or looked up wrongly."""


class InvalidHandlerError(HandlerError):
    """A function cannot serve as a handler; the message names it and says why."""


class DuplicateHandlerError(HandlerError, ConflictError):
    """Two handlers claim one job name."""


class HandlerNotFoundError(HandlerError, LookupError):
    """No handler has the name that was asked for (H07)."""

    def __init__(self, name: str, known: Iterable[str] = ()) -> None:
        self.name = name
        self.near = get_close_matches(name, set(known), n=3)
        hint = f" Did you mean {' or '.join(repr(near) for near in self.near)}?" if self.near else ""
        super().__init__(
            f"No handler registered for job: {name}.{hint}" if hint else f"No handler registered for job: {name}"
        )


# -- input -------------------------------------------------------------------------------------------------------------


class InputError(JobcoreError, ValueError):
    """A caller's argument cannot be accepted."""


class TenantRequiredError(InputError):
    """A job's data names no tenant (R12)."""

    def __init__(self) -> None:
        super().__init__("tenantId is required in job data")


class InvalidTenantError(InputError):
    """A tenant id is neither a UUID nor `'system'`."""


class NaiveDatetimeError(InputError):
    """A date and time came without a time zone, so that nobody can say which instant is meant."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One field that does not validate: its dotted path, what is wrong, and pydantic's name of the rule."""

    path: str
    message: str
    rule: str


class PayloadError(InputError):
    """A payload cannot be accepted."""


class PayloadInvalidError(PayloadError):
    """A payload does not fit its handler's model. `problems` has one entry a field."""

    def __init__(self, job_name: str, problems: Sequence[FieldProblem]) -> None:
        self.job_name = job_name
        self.problems = tuple(problems)
        lines = "; ".join(f"{problem.path or '(payload)'}: {problem.message}" for problem in self.problems)
        super().__init__(f"The payload of job {job_name!r} is not valid: {lines}")


class PayloadLimitError(PayloadError):
    """A payload is too large, too deep, or holds what PostgreSQL cannot store (a NUL character)."""


class PayloadVersionError(JobcoreError):
    """A payload is of a newer version than this build knows; a newer build can take it."""

    def __init__(self, job_name: str, version: int, known: int) -> None:
        self.version = version
        super().__init__(
            f"The payload of job {job_name!r} is of version {version}, and this build knows version {known} at most. "
            "Workers of a newer build can take it: finish the deployment, or raise the handler's version here."
        )


class UpcastError(JobcoreError):
    """An upcaster did not make an older payload a newer one; the message names it and says why."""


class InvalidScheduleError(InputError):
    """A cron expression or an interval does not parse; the message gives the position and the reason."""


class QuotaExceededError(JobcoreError):
    """A tenant has as much as an operator lets it have; nothing of the call was done. It may be tried again later."""

    def __init__(  # noqa: PLR0917 - an exception is pickled with its arguments in their order
        self, tenant: UUID, quota: str, most: int, has: int, more: int, retry_after: float | None = None
    ) -> None:
        """Say what the tenant has, may have, and asked for.

        Args:
            quota: `waiting`, `enqueues_per_second` or `schedules`.
            most: what the quota allows.
            has: what the tenant has; what other transactions have not committed is not in it.
            more: what the call would have added.
            retry_after: seconds after which the call may pass, if time alone lets it.
        """
        super().__init__(tenant, quota, most, has, more, retry_after)
        self.tenant = tenant
        self.quota = quota
        self.most = most
        self.has = has
        self.more = more
        self.retry_after = retry_after

    def __str__(self) -> str:
        had, more = _COUNTED[self.quota]
        return (
            f"Tenant {self.tenant} has {self.has:,} {had}, of {self.most:,} at most: {self.more:,} more {more} "
            f"refused, and nothing was done. {self._what_to_do} An operator can raise the quota: `jobcore quotas set`."
        )

    @property
    def _what_to_do(self) -> str:
        if self.quota == "schedules":
            return "Remove one first."
        if self.more > self.most:
            return f"One call may bring {self.most:,}: make it several."
        if self.retry_after is not None:
            return f"Try again in {self.retry_after:.2f} s."
        return "Try again when others have begun."


_COUNTED = {
    "waiting": ("jobs waiting", "were"),
    "enqueues_per_second": ("jobs enqueued within the last second", "were"),
    "schedules": ("schedules", "was"),
}


class CapabilityError(InputError):
    """The chosen runner cannot honour a request; refused at enqueue, with the capability named."""


# -- running -----------------------------------------------------------------------------------------------------------


class JobNotFoundError(JobcoreError, LookupError):
    """No job has this id within this tenant."""

    def __init__(self, job_id: UUID, tenant: UUID) -> None:
        super().__init__(f"Tenant {tenant} has no job {job_id}.")


class ScheduleNotFoundError(JobcoreError, LookupError):
    """No schedule has this id within this tenant."""


class JobTimeoutError(JobcoreError, TimeoutError):
    """A handler ran past its time-out."""


class JobCancelledError(JobcoreError):
    """A job was cancelled while somebody waited for its result, or while its handler asked."""


class JobFailedError(JobcoreError):
    """A job ended as failed while somebody waited for its result."""


class ResultTimeoutError(JobcoreError, TimeoutError):
    """A job did not end within the time that the caller was ready to wait."""


class NonRetryableError(JobcoreError):
    """Raised by a handler: this job will never succeed, so it fails now, whatever attempts are left."""


class StaleClaimError(JobcoreError):
    """A worker tried to write for a job that it no longer owns: nothing was changed.

    Its lease ran out and another worker took the job, or the job was cancelled, moved to another engine or retried by
    an operator.
    """


class ForeignConnectionError(InputError):
    """`complete_in` or an enqueue got a connection to another database than the one that holds the job."""


# -- storage -----------------------------------------------------------------------------------------------------------


class StorageError(JobcoreError):
    """The store cannot do what was asked."""


class StorageUnavailableError(StorageError, ConnectionError):
    """The database cannot be reached."""


class TransactionConflictError(StorageError):
    """The database ended a transaction so that another one could go on; run it again from its beginning."""


class SchemaVersionError(StorageError):
    """The database's schema is missing, too old or too new for this build."""


class MigrationError(StorageError):
    """A migration cannot be applied or taken back; the database is as it was before it."""


class IllegalMoveError(StorageError):
    """A job cannot go from its state to the one asked for."""


class EngineUnavailableError(JobcoreError, ConnectionError):
    """An engine outside of the database cannot be reached. What was accepted waits for it."""
