"""Every line that this package logs."""

from __future__ import annotations

import logging
from uuid import UUID

Logger = logging.LoggerAdapter[logging.Logger]


def invoice_written(logger: Logger, number: str, client: UUID, total: int, currency: str) -> None:
    logger.info("Invoice %s of client %s: %d cents %s", number, client, total, currency)


def invoice_suppressed(logger: Logger, cycle: UUID) -> None:
    logger.info("Billing cycle %s has nothing to bill; its settings suppress such invoices", cycle)


def billing_failed(logger: Logger, cycle: UUID, error: Exception) -> None:
    logger.error("Billing cycle %s was not billed: %s", cycle, explained(error))


def bundle_written(logger: Logger, name: str, count: int, size: int) -> None:
    logger.info("Bundle %s: %d invoices, %d bytes", name, count, size)


def bundle_failed(logger: Logger, error: Exception) -> None:
    logger.error("%s", explained(error))


def explained(error: Exception) -> str:
    """Return an error's text and its notes in one line."""
    return ". ".join([str(error), *getattr(error, "__notes__", ())])


def bundle_lacks_file(logger: Logger, error: Exception) -> None:
    logger.warning("A file is left out of the bundle: %s", error)
