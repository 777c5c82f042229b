"""Every line that the credits log. Clients and credits are named by their ids."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from uuid import UUID

from jobcore_handlers.credits.rules import Discrepancy
from jobcore_handlers.isolation import reason_of

Logger = logging.LoggerAdapter[logging.Logger]


def expired(logger: Logger, count: int, amount: int) -> None:
    logger.info("%d credits expired, %d cents in all", count, amount)


def skipped(logger: Logger, unmarked: Iterable[UUID]) -> None:
    for credit in unmarked:
        logger.warning("Credit %s has an expiry in the ledger and is not marked as expired: left as it is", credit)


def expiry_failed(logger: Logger, error: Exception) -> None:
    logger.error("Not everything that was to expire did: %s", error)


def discrepancies_found(logger: Logger, client: UUID, found: Iterable[Discrepancy]) -> None:
    for one in found:
        logger.warning(
            "Client %s: %s, expected %d cents, found %d (credit %s, entry %s)",
            client,
            one.issue,
            one.expected,
            one.actual,
            one.credit_id or "-",
            one.transaction_id or "-",
        )


def client_failed(logger: Logger, client: UUID, error: Exception) -> None:
    logger.error("The credits of client %s were not checked: %s", client, reason_of(error))


def reconciled(logger: Logger, totals: Mapping[str, int]) -> None:
    logger.info("Credits reconciled: %s", ", ".join(f"{name} {count}" for name, count in totals.items()))
