"""Why credits did not expire. They are named by their ids."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import ClassVar
from uuid import UUID

from jobcore_handlers.errors import BillingRefusedError


class OriginalTransactionsMissingError(BillingRefusedError):
    """Credits are tracked, and the ledger does not know where they came from; all others have expired."""

    MOST_NAMED: ClassVar[int] = 5

    def __init__(self, origins: Mapping[UUID, UUID], expired: int) -> None:
        """Name the first of `origins`, the missing entries by credit; `expired` is how many others did expire."""
        named = [
            f"Original transaction {transaction} of credit {credit} not found"
            for credit, transaction in islice(origins.items(), self.MOST_NAMED)
        ]
        if rest := len(origins) - len(named):
            named.append(f"and so of {rest} more")
        super().__init__(
            f"{len(origins)} credits did not expire, {expired} did. {'; '.join(named)}. Restore the entries, or delete "
            "the credits' rows of billing.credit_tracking; the next run lets expire what is left."
        )
