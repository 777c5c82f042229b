"""Every line that outgoing mail logs: ids and codes, no addresses and no words of mails."""

from __future__ import annotations

import logging
from uuid import UUID

Logger = logging.LoggerAdapter[logging.Logger]


def mail_not_sent(logger: Logger, mail: UUID, error: Exception, *, is_dead: bool) -> None:
    if is_dead:
        logger.warning("Mail %s is given up: %s", mail, error)
    else:
        logger.info("Mail %s will be tried again: %s", mail, error)
