"""A claim in a worker's hands, and how it may be lost or cancelled meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobcore.models import Claim
from jobcore.ports.runner import AbortControl
from jobcore_postgres.background import logs


@dataclass(slots=True, eq=False, kw_only=True)
class HeldClaim:
    """What the runs of every engine have in common."""

    claim: Claim
    abort: AbortControl
    ended: bool = False
    """Whether its settlement is under way."""
    settles_itself: bool = False
    """Whether the handler wrote the settlement into a transaction of its own, which may or may not commit."""
    lost: str | None = None
    """Why the claim is gone, if it is."""

    def lose(self, reason: str) -> None:
        """The claim is gone: stop the handler; nothing of it will be written."""
        if self.lost is None and not self.ended and not self.settles_itself:
            self.lost = reason
            logs.claim_lost(self.claim, reason)
            self.abort.abort(reason, kind="lost")

    def cancel(self, request: Mapping[str, Any]) -> None:
        """Its cancellation was asked for: tell the handler."""
        kind = "superseded" if "superseded_by" in request else "cancelled"
        self.abort.abort(str(request.get("reason") or "cancelled"), by=request.get("cancelled_by"), kind=kind)
