"""The settings of this runner: `[tool.jobcore.pgboss]` and `JOBCORE_PGBOSS__*`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from jobcore.limits import check_queue_name
from jobcore_pgboss.supervision import SupervisionSettings
from jobcore_postgres.background.listening import Listening

QueueName = Annotated[str, AfterValidator(check_queue_name)]


class GroupLimit(BaseModel):
    """How many jobs of one group run at a time, over all workers of ours.

    A job's group is its tenant, unless Node named another.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    default: int = Field(ge=1)
    tiers: dict[Annotated[str, Field(min_length=1)], Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict[str, int]
    )
    """For jobs that Node sent with a tier of these names."""


class PgBossSettings(BaseModel):
    """How the queue is used, and how its worker behaves. All times are in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    schema_name: Literal["pgboss"] = Field(default="pgboss", alias="schema")
    """Where pg-boss lives. Only its default name is supported yet."""
    listen_url: SecretStr | None = None
    """The server's own address, for the one connection of a worker that listens, where `DATABASE_URL` leads to a
    pooler, through which no notifications pass."""
    lease_seconds: int = Field(default=300, ge=2)
    """How long a worker may be silent before its jobs are given to others."""
    rescue_interval_seconds: float = Field(default=10, gt=0)
    """How often each worker looks for jobs of workers that died (G14: the guide's maintenance interval)."""
    poll_interval_seconds: float = Field(default=1, gt=0)
    """How often the queues are looked at when no notification comes."""
    cancel_poll_seconds: float = Field(default=0.5, gt=0)
    """How often running jobs are looked at for a cancellation when no notification comes."""
    probe_interval_seconds: float = Field(default=10, gt=0)
    """How often the listening connection sends itself a notification, to see that it still hears."""
    announce_interval_seconds: float = Field(default=10, gt=0)
    """How often a worker says that it lives."""
    expiry_margin_seconds: int = Field(default=60, ge=0)
    """How long after a handler's time-out its job counts as stuck."""
    status_delay_seconds: float = Field(default=0.1, ge=0)
    """How long a job runs before its row says so; jobs that end sooner are written once."""
    ended_rows: Literal["delete", "keep"] = "delete"
    """What becomes of ended queue rows in queues made from now on: the jobs table is their archive. `keep` leaves them
    to pg-boss's retention, for queues that Node services look into. Queues that Node made always keep theirs."""
    deletion_seconds: int = Field(default=86_400, ge=1)
    """After which time pg-boss deletes ended rows of queues made from now on, where they are kept (G14: a day)."""
    work_ahead_seconds: float = Field(default=0.05, ge=0)
    """How much work, at the current pace, is fetched beyond the free slots."""
    group_limits: dict[QueueName, GroupLimit] = Field(default_factory=dict[str, GroupLimit])
    """By queue: how many jobs of a group may run at a time; pg-boss's `groupConcurrency`."""
    fetch_limit: int = Field(default=500, ge=1, le=10_000)
    """How many jobs one fetch takes at most."""
    supervision: SupervisionSettings = SupervisionSettings()
    """The background duties that all instances on a pg-boss database share."""


def listening_of(settings: PgBossSettings) -> Listening:
    """Return how a worker with these settings hears of news."""
    return Listening("JOBCORE_PGBOSS__LISTEN_URL", settings.listen_url, settings.probe_interval_seconds)
