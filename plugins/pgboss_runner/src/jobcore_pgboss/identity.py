"""What this runner is called, and what it can honour."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha224

from jobcore.ports.runner import Capabilities

RUNNER_TYPE = "pgboss"

CAPABILITIES = Capabilities(
    transactional_enqueue=True, complete_in=True, flow_control=True, cancel_latency=timedelta(seconds=1)
)

WORK_CHANNEL = f"pgboss_{sha224(b'pgboss').hexdigest()[:24]}"
"""Where pg-boss tells of new work; derived from its schema's name as Node and `pgboss_channel()` derive it."""
