"""A process of a peer, and the conversation with it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Any, Self

from bench.catalog import Peer
from bench.installation import host_command

PATIENCE = 600.0
"""Seconds; a peer that does not answer for so long is killed."""
SHUTDOWN = 15.0


class PeerFailedError(Exception):
    """A peer's process raised, died or did not answer; the message holds what it said."""


class PeerProcess:
    """One process in which a peer enqueues or works. What it writes to standard error goes to `log`."""

    def __init__(self, peer: Peer, dsn: str, log: Path) -> None:
        self._name = peer.name
        command = [*host_command(peer), json.dumps({"dsn": dsn, **peer.options}), str(peer.folder)]
        self._log_path = log
        self._log = log.open("a")
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True
        )

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send a command and wait for its answer. Raises PeerFailedError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        watchdog = Timer(PATIENCE, self._process.kill)
        watchdog.start()
        try:
            self._process.stdin.write(json.dumps({"command": command, **arguments}) + "\n")
            self._process.stdin.flush()
            for line in self._process.stdout:
                if line.startswith("@"):
                    return self._answer(command, json.loads(line[1:]))
        except BrokenPipeError as error:
            raise PeerFailedError(f"{self._name} is gone, before '{command}'; see {self._log_path}.") from error
        finally:
            watchdog.cancel()
        raise PeerFailedError(f"{self._name} ended during '{command}'; see {self._log_path}.")

    def _answer(self, command: str, answer: dict[str, Any]) -> dict[str, Any]:
        if "error" in answer:
            raise PeerFailedError(f"{self._name} failed at '{command}': {answer['error']}")
        return answer

    def close(self) -> None:
        """End the process; one that does not end by itself is killed."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(SHUTDOWN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
