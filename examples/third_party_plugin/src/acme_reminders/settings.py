"""The plugin's section of the settings: `[tool.jobcore.acme]`, or `JOBCORE_ACME__OUTBOX`."""

from pathlib import Path

from pydantic import BaseModel


class ReminderSettings(BaseModel):
    """What may be configured."""

    outbox: Path = Path("reminders.txt")
    """The file that reminders are written to."""
