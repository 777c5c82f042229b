"""Every line that the mailing of invoices logs. Links may hold tokens, and errors of other people's code addresses."""

from __future__ import annotations

import logging
from uuid import UUID

Logger = logging.LoggerAdapter[logging.Logger]


def invoice_sent(logger: Logger, invoice: UUID, mail: UUID) -> None:
    logger.info("Invoice %s was sent as mail %s", invoice, mail)


def invoice_not_sent(logger: Logger, text: str) -> None:
    logger.error("%s", text)


def link_failed(logger: Logger, kind: str, invoice: UUID, reason: str) -> None:
    logger.warning("The %s link of invoice %s could not be made (%s); its mail goes without", kind, invoice, reason)


def document_not_shown(logger: Logger, invoice: UUID, reason: str) -> None:
    logger.warning("Invoice %s was sent, but its document is not yet visible to the client: %s", invoice, reason)
