"""Every line that the notices of expiring credits log."""

from __future__ import annotations

import logging
from uuid import UUID

Logger = logging.LoggerAdapter[logging.Logger]


def nothing_configured(logger: Logger) -> None:
    logger.info("Nobody is told of expiring credits: the tenant's settings name no days, or its credits do not expire")


def nobody_to_tell(logger: Logger, client: UUID) -> None:
    logger.warning("Client %s has expiring credits, and no billing contact to tell", client)


def client_told(logger: Logger, client: UUID, credit_count: int, mails: int) -> None:
    logger.info("Client %s is told of %d expiring credits, in %d mails", client, credit_count, mails)


def client_failed(logger: Logger, client: UUID, reason: str) -> None:
    logger.error("Client %s was not told of its expiring credits: %s", client, reason)
