"""The groups of settings, one class each. `docs/reference/settings.md` lists their variables and keys."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from jobcore.limits import DEFAULT_LIMITS, PayloadLimits
from jobcore.settings.values import AnyCase, AsTable, NameList, Section


class WorkerSettings(Section):
    """How `jobcore worker` works."""

    concurrency: int = Field(default=10, ge=1, le=10_000)
    """Jobs at a time (B02)."""
    grace_seconds: float = Field(default=30, ge=0)
    """How long a worker that is asked to stop waits for its running jobs, in seconds."""
    queues: NameList = ()
    """The queues to serve; none means all for which a handler is registered."""
    processes: int = Field(default=1, ge=1, le=256)
    """How many processes work, each with its own connections and as many jobs at a time as `concurrency` says."""
    event_loop: Literal["auto", "asyncio", "uvloop"] = "auto"
    """What `jobcore worker` runs on; `auto` takes uvloop where it is installed."""


class LimitsSettings(Section):
    """How large a payload may be."""

    payload_bytes: int = Field(default=DEFAULT_LIMITS.max_bytes, ge=1)
    payload_depth: int = Field(default=DEFAULT_LIMITS.max_depth, ge=1, le=500)
    payload_nodes: int = Field(default=DEFAULT_LIMITS.max_nodes, ge=1)
    """How many values a payload may hold, counting objects, arrays, strings, numbers, truth values and nulls."""

    @property
    def payload(self) -> PayloadLimits:
        """The same as `jobcore.limits` takes them."""
        return PayloadLimits(max_bytes=self.payload_bytes, max_depth=self.payload_depth, max_nodes=self.payload_nodes)


class LogSettings(Section):
    """What is logged."""

    level: Annotated[Literal["debug", "info", "warning", "error"], AnyCase] = "info"
    """The lowest level that `jobcore worker` writes."""
    finished_jobs: bool = True
    """One structured line at INFO for each job that ends (G16)."""


class TemporalSettings(Section):
    """Where Temporal is (F09-F11). Its plugin reads further keys of this section, and checks them."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    address: str = "temporal-frontend.temporal.svc.cluster.local:7233"
    """`host:port`, without a scheme."""
    namespace: str = Field(default="default", min_length=1)
    task_queue: str = Field(default="alga-jobs", min_length=1)

    @field_validator("address")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        if not re.fullmatch(r"(\[[0-9A-Fa-f:]+\]|[^\s/:]+):\d{1,5}", value):
            raise ValueError("write host:port, such as temporal.example.org:7233, without a scheme")
        return value


class DashboardSettings(Section):
    """Who may open the dashboard (B23). Its plugin reads further keys of this section, and checks them."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    username: str | None = None
    password: SecretStr | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> DashboardSettings:
        if (self.username is None) != (self.password is None):
            missing = "BULL_BOARD_USERNAME" if self.username is None else "BULL_BOARD_PASSWORD"
            raise ValueError(f"set {missing} as well, or neither of BULL_BOARD_USERNAME and BULL_BOARD_PASSWORD")
        return self


class RouteSettings(Section):
    """Where jobs go whose name matches a route's pattern."""

    runner: str
    percent: float = Field(default=100, ge=0, le=100)
    """How many of them, in percent; the others go where they would without the route."""

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"runner": value} if isinstance(value, str) else value


class PluginSettings(Section):
    """Which plugins are loaded, and whose registration wins."""

    allow: NameList | None = None
    """If set, only these are imported: `distribution`, or `distribution:entry-point`."""
    block: NameList = ()
    """Never imported: `distribution`, `distribution:entry-point`, or `entry-point`."""
    require: NameList = ()
    """Without these, active, nothing starts; written as in `block`."""
    prefer: Annotated[dict[str, str], AsTable] = Field(default_factory=dict[str, str])
    """Whose wins where two register one name: `{"handler:send-mail" = "acme-mail"}`."""
    strict: bool = False
    """Whether any plugin that cannot be loaded stops the start."""
    import_seconds: float = Field(default=10, gt=0)
    """How long the import of one plugin may take, in seconds."""

    @field_validator("prefer")
    @classmethod
    def _known_kinds(cls, value: dict[str, str]) -> dict[str, str]:
        kinds: tuple[str, ...] = ("runner", "storage", "handler", "command", "panel", "check")
        wrong = [key for key in value if key.partition(":")[0] not in kinds or not key.partition(":")[2]]
        if wrong:
            raise ValueError(f"the keys are written 'kind:name' with a kind of {', '.join(kinds)}, unlike {wrong[0]!r}")
        return value


Environment = Literal["production", "staging", "development", "local", "test"]
"""Where the program runs; what is open or refused depends on it."""
