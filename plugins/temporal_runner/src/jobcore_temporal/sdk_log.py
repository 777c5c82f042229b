"""Lets the log of the SDK's core, which it writes raw to standard output, go where all logs go."""

from __future__ import annotations

from contextlib import suppress
from functools import cache

from temporalio.runtime import LogForwardingConfig, LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter

from jobcore_temporal import logs

QUIET_IN_OUTAGES = ("temporalio_client::retry", "temporalio_sdk_core::worker::activities::activity_heartbeat_manager")
"""They have a line for each poll and each heartbeat that fails, as long as the server is away: our own log tells that
once."""
LEVELS = TelemetryFilter(core_level="WARN", other_level="ERROR").formatted()
FILTER = ",".join([LEVELS, *(f"{target}=ERROR" for target in QUIET_IN_OUTAGES)])


@cache
def forward_the_sdks_log() -> None:
    """Do so in this process, unless it has the SDK's runtime already: a program that set one up has its own way."""
    forwarding = LogForwardingConfig(
        logger=logs.logger_of_the_sdk(), append_target_to_name=False, append_log_fields_to_message=False
    )
    runtime = Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=FILTER, forwarding=forwarding)))
    with suppress(RuntimeError):  # there is one
        Runtime.set_default(runtime)
