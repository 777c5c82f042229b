"""Every line that the calendars log. Calendars are named by their providers' ids: their addresses are people's."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from uuid import UUID

from jobcore_handlers.calendars.errors import CalendarError

Logger = logging.LoggerAdapter[logging.Logger]


def served(logger: Logger, provider: UUID, outcome: str) -> None:
    logger.info("Calendar provider %s: %s", provider, outcome)


def failed(logger: Logger, provider: UUID, failures: int, error: CalendarError) -> None:
    logger.warning("Calendar provider %s failed for the %d. time in a row: %s", provider, failures, error)


def not_ended(logger: Logger, provider: UUID, error: CalendarError) -> None:
    logger.warning("An old subscription of calendar provider %s could not be ended: %s", provider, error)


def finished(logger: Logger, counts: Mapping[str, int]) -> None:
    logger.info("Calendars: %s", ", ".join(f"{count} {name}" for name, count in counts.items()))
