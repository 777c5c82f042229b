"""What this runner is called, and what it can honour."""

from __future__ import annotations

from datetime import timedelta

from jobcore.ports.runner import Capabilities

RUNNER_TYPE = "pgboss"

CAPABILITIES = Capabilities(
    transactional_enqueue=True, complete_in=True, flow_control=True, cancel_latency=timedelta(seconds=1)
)
