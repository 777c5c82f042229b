"""How a pause is told in a sentence."""

from __future__ import annotations

from jobcore.models import Pause
from jobcore.ports.wording import instant


def circumstances(pause: Pause) -> str:
    """Return since when, by whom and why, to follow what is paused."""
    by = f" by {pause.paused_by}" if pause.paused_by else ""
    return f" since {instant(pause.paused_at)}{by}{f': {pause.reason}' if pause.reason else ''}"
