"""Every line that the buckets log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from uuid import UUID

from jobcore_handlers.isolation import reason_of

Logger = logging.LoggerAdapter[logging.Logger]


def record_failed(logger: Logger, usage: UUID, error: Exception) -> None:
    logger.error("Bucket usage %s was not counted: %s", usage, reason_of(error))


def counted(logger: Logger, totals: Mapping[str, int]) -> None:
    logger.info("Buckets counted: %s", ", ".join(f"{name} {count}" for name, count in totals.items()))
