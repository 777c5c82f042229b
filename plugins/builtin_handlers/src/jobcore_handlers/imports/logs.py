"""Every line that imports log: ids and counts, nothing of what is in the rows."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

Logger = logging.LoggerAdapter[logging.Logger]


def resumed(logger: Logger, import_job: UUID, last_row: int) -> None:
    logger.info("Import job %s goes on after row %d", import_job, last_row)


def completed(logger: Logger, import_job: UUID, result: dict[str, Any]) -> None:
    logger.info(
        "Import job %s: %s rows, %s assets created, %s duplicates, %s rows with errors",
        import_job,
        result["totalRows"],
        result["created"],
        result["duplicates"],
        result["errors"],
    )


def failed(logger: Logger, import_job: UUID, reason: str) -> None:
    logger.error("Import job %s failed: %s", import_job, reason)
