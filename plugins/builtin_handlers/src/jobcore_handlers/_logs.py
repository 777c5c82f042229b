"""Every line that this package logs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from uuid import UUID

from jobcore_handlers.isolation import explained, reason_of

Logger = logging.LoggerAdapter[logging.Logger]


def invoice_written(logger: Logger, number: str, client: UUID, total: int, currency: str) -> None:
    logger.info("Invoice %s of client %s: %d cents %s", number, client, total, currency)


def invoice_suppressed(logger: Logger, cycle: UUID) -> None:
    logger.info("Billing cycle %s has nothing to bill; its settings suppress such invoices", cycle)


def work_not_covered(logger: Logger, cycle: UUID, count: int) -> None:
    logger.warning(
        "Billing cycle %s: no contract line covers %d time entries and usage records; not billed", cycle, count
    )


def billing_failed(logger: Logger, cycle: UUID, error: Exception) -> None:
    logger.error("Billing cycle %s was not billed: %s", cycle, explained(error))


def bundle_written(logger: Logger, name: str, count: int, size: int) -> None:
    logger.info("Bundle %s: %d invoices, %d bytes", name, count, size)


def bundle_failed(logger: Logger, error: Exception) -> None:
    logger.error("%s", explained(error))


def bundle_lacks_file(logger: Logger, error: Exception) -> None:
    logger.warning("A file is left out of the bundle: %s", error)


def session_keys_revoked(logger: Logger, count: int, tenants: int, trigger: str) -> None:
    logger.info("%d expired session keys revoked over %d tenants (%s)", count, tenants, trigger)


def forms_deleted(logger: Logger, count: int, tenants: int) -> None:
    logger.info("%d temporary workflow forms deleted over %d tenants", count, tenants)


def tenant_failed(logger: Logger, tenant: UUID, error: Exception) -> None:
    logger.error("The work of tenant %s failed: %s", tenant, reason_of(error))


def cycles_made(logger: Logger, created: int, clients: int, failed: int) -> None:
    logger.info("%d billing cycles made for %d clients that were due; %d clients failed", created, clients, failed)


def cycles_failed(logger: Logger, client: UUID, error: Exception) -> None:
    logger.error("Client %s gets no billing cycles: %s", client, reason_of(error))


def time_periods_made(logger: Logger, lines: Sequence[str]) -> None:
    for line in lines:
        logger.info("%s", line)


def fanned_out(logger: Logger, handler: str, tenants: int, failed: int, refused: int) -> None:
    logger.info(
        "%s ran for %d tenants; it failed for %d, and %d had no room in their quota", handler, tenants, failed, refused
    )


def swept(logger: Logger, statement: str, rows: int, tenants: int) -> None:
    logger.info("%s: %d rows of %d tenants", statement, rows, tenants)
