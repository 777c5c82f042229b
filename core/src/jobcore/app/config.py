"""The founding documents' configuration of a runner (R17) and options of a scheduling call (R11), checked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.alias_generators import to_camel

from jobcore.errors import ConfigurationError, InputError
from jobcore.handlers.payload import problems_of
from jobcore.policies.retry import RetryPolicy
from jobcore.settings import Settings

ModelT = TypeVar("ModelT", bound=BaseModel)


class _Documented(BaseModel):
    """Takes the documents' camelCase names and our snake_case ones; refuses others."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )


class PgBossConfig(_Documented):
    """`pgboss` of a `JobRunnerConfig`."""

    connection_string: SecretStr | None = None
    retry_limit: int | None = Field(default=None, ge=0, le=999)
    """Retries of handlers that do not say how often; attempts are one more."""
    retry_backoff: bool = True
    application_name: str | None = None


class TemporalConfig(_Documented):
    """`temporal` of a `JobRunnerConfig`."""

    address: str | None = None
    namespace: str | None = None
    task_queue: str | None = None
    tls: bool | None = None
    client_cert: str | None = None
    client_key: SecretStr | None = None


class JobRunnerConfig(_Documented):
    """Which runner, and where its engine is. What is left out comes from the settings."""

    type: str | None = None
    pgboss: PgBossConfig = PgBossConfig()
    temporal: TemporalConfig = TemporalConfig()

    @classmethod
    def of(cls, value: JobRunnerConfig | Mapping[str, Any] | None) -> Self | JobRunnerConfig:
        """Return a configuration given as one or as a mapping. Raises `ConfigurationError`, one line a problem."""
        if isinstance(value, JobRunnerConfig):
            return value
        try:
            return cls.model_validate(value or {})
        except ValidationError as error:
            lines = [f"{problem.path}: {problem.message}" for problem in problems_of(error)]
            raise ConfigurationError("The runner's configuration cannot be used:\n  " + "\n  ".join(lines)) from None

    def settings(self) -> Settings:
        """Return the settings with this configuration on top. Raises `ConfigurationError`."""
        overrides: dict[str, Any] = {}
        if self.type is not None:
            overrides["runner"] = self.type
        if self.pgboss.connection_string is not None:
            overrides["database"] = {"url": self.pgboss.connection_string}
        if self.pgboss.application_name is not None:
            overrides["pgboss"] = {"application_name": self.pgboss.application_name}
        if temporal := self.temporal.model_dump(exclude_none=True):
            overrides["temporal"] = temporal
        return Settings.load(**overrides)

    def default_retry(self) -> RetryPolicy | None:
        """Return the policy of handlers that name none; `None` leaves them jobcore's own."""
        if self.pgboss.retry_limit is None:
            return None
        coefficient = 2.0 if self.pgboss.retry_backoff else 1.0
        return RetryPolicy(max_attempts=self.pgboss.retry_limit + 1, backoff_coefficient=coefficient)


class ScheduleJobOptions(_Documented):
    """The options of `schedule_job` (R11)."""

    run_at: datetime | None = None
    interval: str | None = None
    singleton_key: str | None = None
    """While a job of this tenant and name holds the key and has not ended, another is not made (R18)."""
    priority: int | None = None
    """Higher is more important."""
    user_id: UUID | None = None
    metadata: dict[str, Any] | None = None

    @classmethod
    def of(cls, value: ScheduleJobOptions | Mapping[str, Any] | None) -> Self | ScheduleJobOptions:
        """Return options given as such or as a mapping. Raises `InputError`, one line a problem."""
        if isinstance(value, ScheduleJobOptions):
            return value
        try:
            return cls.model_validate(value or {})
        except ValidationError as error:
            lines = [f"{problem.path}: {problem.message}" for problem in problems_of(error)]
            raise InputError("The options of this call cannot be used: " + "; ".join(lines)) from None
