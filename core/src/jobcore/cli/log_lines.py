"""How logs look on the program's standard error, and all that the cli room itself writes to the log."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from jobcore.errors import JobcoreError
    from jobcore.plugins.records import PluginRecord

LogFormat = Literal["text", "json"]

_logger = logging.getLogger("jobcore.cli")
_PLAIN = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class TextLines(logging.Formatter):
    """`2026-05-01T12:00:00.000Z INFO jobcore.app: message`."""

    def format(self, record: logging.LogRecord) -> str:
        scope = f"{about} " if (about := getattr(record, "scope", "")) else ""
        text = f"{_instant(record)} {record.levelname} {record.name}: {scope}{record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class JsonLines(logging.Formatter):
    """One JSON object a line (G16): `time`, `level`, `logger`, `msg`, and what it is about (`job`, `jobId`, …)."""

    def format(self, record: logging.LogRecord) -> str:
        from jobcore.cli.documents import to_json

        about = {key: value for key, value in vars(record).items() if key not in _PLAIN}
        line: dict[str, Any] = {
            "time": _instant(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            **about,
            "msg": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return to_json(line, indent=False)


class BriefLines(logging.Formatter):
    """`warning: message`, for commands that are not about logs."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname.lower()}: {record.getMessage()}"


def log_to_stderr(formatter: logging.Formatter, level: int) -> None:
    """Write all logs to standard error; replaces what was set up before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)


def log_work(log_format: LogFormat) -> None:
    """Set up the log of a process that works jobs."""
    log_to_stderr(JsonLines() if log_format == "json" else TextLines(), logging.INFO)


def log_warnings() -> None:
    """Set up the log of a command that answers and ends: warnings only, in one line each."""
    log_to_stderr(BriefLines(), logging.WARNING)


def commands_missing(record: PluginRecord, error: Exception) -> None:
    _logger.warning("The commands of plugin %s (%s) are missing: %s", record.name, record.origin, error)


def commands_not_listed(error: JobcoreError) -> None:
    _logger.warning("The commands of plugins are not listed. %s", error)


def _instant(record: logging.LogRecord) -> str:
    instant = datetime.fromtimestamp(record.created, UTC)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
