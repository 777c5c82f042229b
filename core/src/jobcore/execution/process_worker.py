"""A handler process's side of the link to its worker."""

from __future__ import annotations

import logging
import os
import socket
import threading
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

from jobcore import errors
from jobcore.execution.abort import Abort
from jobcore.execution.process_link import Message, pack, receive_blocking
from jobcore.limits import bounded_text

_MAX_TEXT = 32_000
_PLAIN_RECORD = frozenset(vars(logging.makeLogRecord({})))


class Worker:
    """The worker, as its child sees it: jobs come from it, and calls go to it."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._turn = threading.Lock()
        self._jobs: SimpleQueue[Message | None] = SimpleQueue()
        self._calls: dict[int, Future[Any]] = {}
        self._number = 0
        self.abort = Abort()

    def start(self) -> None:
        """Begin to listen, in a thread of its own, so that an abort is heard while the handler works."""
        threading.Thread(target=self._listen, name="jobcore-link", daemon=True).start()

    def next_job(self) -> Message | None:
        """Block for the next job; `None` when there will be no more."""
        return self._jobs.get()

    def send(self, message: Message) -> None:
        data = pack(message)
        with self._turn:
            self._link.sendall(data)

    def call(self, method: str, **arguments: Any) -> Future[Any]:
        """Have the worker do `method` for this job; the future raises what the worker's side raised."""
        future: Future[Any] = Future()
        with self._turn:
            self._number += 1
            number = self._number
            self._calls[number] = future
        self.send({"op": "call", "call": number, "method": method, "arguments": arguments})
        return future

    def log_like(self, job: Message) -> None:
        """Have this process log to the worker, from the level on that the worker logs at."""
        root = logging.getLogger()
        root.setLevel(job["log_level"])
        root.handlers = [_Relay(self)]

    def _listen(self) -> None:
        while (message := receive_blocking(self._link)) is not None:
            match message["op"]:
                case "run":
                    self.abort = Abort()
                    self._jobs.put(message)
                case "abort":
                    self.abort.abort(message["reason"], by=message["by"])
                case "answer":
                    self._resolve(message)
                case _:
                    self._jobs.put(None)
        os._exit(1)  # the worker is gone: nobody may learn how the handler ends, and another worker may run the job

    def _resolve(self, message: Message) -> None:
        future = self._calls.pop(message["call"])
        if not future.set_running_or_notify_cancel():
            return
        if "error" in message:
            future.set_exception(_error(**message["error"]))
        else:
            future.set_result(message["value"])


class _Relay(logging.Handler):
    """Sends log records to the worker, whose logging is the one that is configured."""

    def __init__(self, worker: Worker) -> None:
        super().__init__()
        self._worker = worker

    def emit(self, record: logging.LogRecord) -> None:
        text = bounded_text(self.format(record), _MAX_TEXT)  # with the traceback, if there is one
        extra = {key: _plain(value) for key, value in vars(record).items() if key not in _PLAIN_RECORD}
        self._worker.send(
            {
                "op": "log",
                "name": record.name,
                "level": record.levelno,
                "text": text,
                "file": record.pathname,
                "line": record.lineno,
                "function": record.funcName,
                "extra": {key: value for key, value in extra.items() if key not in {"message", "asctime"}},
            }
        )


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float | bool | None) else bounded_text(str(value), _MAX_TEXT)


def _error(type: str, message: str) -> Exception:  # noqa: A002 - the words of the link
    """Return the error that the worker's side raised: one of jobcore's, or its description."""
    kind = getattr(errors, type, None)
    if kind in (errors.StaleClaimError, errors.InputError, errors.ConfigurationError):
        return kind(message)
    return errors.JobcoreError(f"{type}: {message}")
