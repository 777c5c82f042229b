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
    """`2026-05-01T12:00:00.000Z INFO [worker 2] jobcore.app: message`; the process where there are several."""

    def __init__(self, process: str = "") -> None:
        super().__init__()
        self._process = f"[{process}] " if process else ""

    def format(self, record: logging.LogRecord) -> str:
        scope = f"{about} " if (about := getattr(record, "scope", "")) else ""
        text = f"{_instant(record)} {record.levelname} {self._process}{record.name}: {scope}{record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class JsonLines(logging.Formatter):
    """One JSON object a line (G16): `time`, `level`, `logger`, `msg`, and what it is about (`job`, `jobId`, …); with
    `process` if one is named."""

    def __init__(self, process: str = "") -> None:
        super().__init__()
        self._process = {"process": process} if process else {}

    def format(self, record: logging.LogRecord) -> str:
        from jobcore.cli.documents import to_json

        about = {key: value for key, value in vars(record).items() if key not in _PLAIN}
        line: dict[str, Any] = {
            "time": _instant(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            **self._process,
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


def log_work(log_format: LogFormat, process: str = "") -> None:
    """Set up the log of a process that works jobs; with its name where there are several."""
    log_to_stderr(JsonLines(process) if log_format == "json" else TextLines(process), logging.INFO)


def set_level(level: str) -> None:
    """Write this level and graver ones from now on: `debug`, `info`, `warning` or `error`."""
    logging.getLogger().setLevel(level.upper())


def log_warnings() -> None:
    """Set up the log of a command that answers and ends: warnings only, in one line each."""
    log_to_stderr(BriefLines(), logging.WARNING)


def commands_missing(record: PluginRecord, error: Exception) -> None:
    _logger.warning("The commands of plugin %s (%s) are missing: %s", record.name, record.origin, error)


def commands_not_listed(error: JobcoreError) -> None:
    _logger.warning("The commands of plugins are not listed. %s", error)


def event_loop_chosen(name: str) -> None:
    _logger.info("The event loop is %s", name)


def fleet_begins(count: int) -> None:
    _logger.info("%d worker processes are to be started; the first one alone, to see whether it can", count)


def process_ready(number: int, pid: int) -> None:
    _logger.info("Worker process %d (pid %d) works", number, pid)


def process_died(number: int, pid: int, how: str, delay: float) -> None:
    _logger.error(
        "Worker process %d (pid %d) %s. The jobs that it held go to others when their leases run out. "
        "Another process takes its place in %.1f s",
        number,
        pid,
        how,
        delay,
    )


def process_left(number: int, pid: int, delay: float) -> None:
    _logger.warning(
        "Worker process %d (pid %d) was stopped by itself, and the fleet was not. Another process takes its place in "
        "%.1f s",
        number,
        pid,
        delay,
    )


def process_failed_to_start(number: int, pid: int, how: str) -> None:
    _logger.error("Worker process %d (pid %d) %s before it worked; its reason stands above", number, pid, how)


def process_not_spawned(number: int, error: OSError) -> None:
    _logger.error("Worker process %d could not be spawned: %s", number, error)


def another_start(number: int, delay: float) -> None:
    _logger.warning("Worker process %d is started again in %.1f s", number, delay)


def fleet_given_up(tries: int) -> None:
    _logger.error("No worker process is left, and %d in a row could not start: giving up", tries)


def fleet_reloads(who: str, count: int) -> None:
    _logger.info("%s: %d worker processes read their settings anew", who, count)


def fleet_stops(who: str, count: int) -> None:
    _logger.info("%s: %d worker processes take no new jobs. A second signal lets them hand their jobs back", who, count)


def fleet_stops_now(who: str) -> None:
    _logger.warning("%s: the worker processes hand their jobs back", who)


def process_stopped(number: int, pid: int) -> None:
    _logger.info("Worker process %d (pid %d) has stopped", number, pid)


def process_stopped_badly(number: int, pid: int, how: str) -> None:
    _logger.error("Worker process %d (pid %d) %s while it was to stop", number, pid, how)


def _instant(record: logging.LogRecord) -> str:
    instant = datetime.fromtimestamp(record.created, UTC)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
