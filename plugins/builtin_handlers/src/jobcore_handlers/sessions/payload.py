"""What `cleanup-ai-session-keys` is told."""

from __future__ import annotations

from typing import Literal

from jobcore import JobData


class CleanupAiSessionKeys(JobData):
    """Whose keys: one tenant's, or everybody's for the tenant `system`."""

    trigger: Literal["cron", "manual"] = "cron"
