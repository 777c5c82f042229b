"""The settings of this runner: `TEMPORAL_*`, `[tool.jobcore.temporal]` and `JOBCORE_TEMPORAL__*`."""

from __future__ import annotations

from pydantic import ConfigDict, Field, SecretStr

from jobcore.settings import TemporalSettings
from jobcore_postgres.background.listening import Listening
from jobcore_temporal.tuning import PollerSettings, TunerSettings
from jobcore_temporal.versioning import DeploymentSettings


class TemporalRunnerSettings(TemporalSettings):
    """How Temporal is reached, and how its worker behaves. All times are in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    profile: str | None = None
    """The profile of Temporal's own configuration (`TEMPORAL_PROFILE`): TLS, API key and codecs come from there."""
    api_key: SecretStr | None = None
    """For Temporal Cloud, or a server that asks for one; by default what the profile says."""
    ui_url: str | None = None
    """Where the server's web pages are, for links: `https://temporal.example.org`."""
    payload_codec: str | None = Field(default=None, pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$")
    """`module:name` of a `temporalio.converter.PayloadCodec`, or of what makes one without arguments: encrypts what
    Temporal keeps."""
    search_attributes: bool = False
    """Whether workflows carry the attributes that `jobcore temporal setup` registers."""
    rpc_timeout_seconds: float = Field(default=2, gt=0, le=30)
    """How long a call of the server may take before the server counts as away."""
    heartbeat_timeout_seconds: float = Field(default=30, ge=1)
    """How long a worker may be silent before its jobs are given to others."""
    cancel_poll_seconds: float = Field(default=0.5, gt=0)
    """How often running jobs are looked at for a cancellation when no notification comes."""
    relay_batch: int = Field(default=100, ge=1, le=1000)
    """How many jobs are handed over together at most."""
    relay_concurrency: int = Field(default=20, ge=1, le=100)
    """How many of these at the same time. One at a time keeps their order, and is slow: a start may take 100 ms."""
    relay_lease_seconds: float = Field(default=10, ge=1)
    """How long other workers leave alone what one is handing over."""
    relay_retry_seconds: float = Field(default=1, gt=0)
    """How long a job waits before it is handed over again, where the server did not take it."""
    poll_interval_seconds: float = Field(default=1, gt=0)
    """How often the outbox is looked at when no notification comes."""
    reconcile_interval_seconds: float = Field(default=15, gt=0)
    """How often a job that Temporal has is compared with its row."""
    settle_patience_seconds: float = Field(default=10, gt=0)
    """How long a worker tries to write how a job ended, before it leaves that to the workflow."""
    breaker_failures: int = Field(default=2, ge=1)
    """After how many failures in a row the server counts as away."""
    breaker_probe_seconds: float = Field(default=0.5, gt=0)
    """How often the server is asked whether it is there. With two failures an outage is noticed within two seconds."""
    listen_url: SecretStr | None = None
    """The database server's own address, for the one connection of a worker that listens, where `DATABASE_URL` leads to
    a pooler."""
    probe_interval_seconds: float = Field(default=10, gt=0)
    """How often the listening connection sends itself a notification, to see that it still hears."""
    pollers: PollerSettings = PollerSettings()
    """How many questions for work are out at a time."""
    tuner: TunerSettings = TunerSettings()
    """How many jobs run at a time by the machine's load, where that is to decide."""
    deployment: DeploymentSettings = DeploymentSettings()
    """Which version of which deployment a worker is, where Temporal is to tell them apart."""

    @property
    def listening(self) -> Listening:
        """How a worker hears of news."""
        return Listening("JOBCORE_TEMPORAL__LISTEN_URL", self.listen_url, self.probe_interval_seconds)
