"""The worker process's end of the line to its supervisor."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager

from jobcore.app.signals import Stopper
from jobcore.cli.errors import UsageError
from jobcore.cli.fleet.line import READY, Order


class Member:
    """One of several worker processes. It does what its supervisor orders, and drains when that is gone."""

    def __init__(self, number: int, line: socket.socket) -> None:
        self.number = number
        self._line = line
        self.on_reload: Callable[[str], None] | None = None
        """What to call when the settings are to be read anew."""

    @classmethod
    def of(cls, option: str) -> Member:
        """Take the line that the option `--member NUMBER:DESCRIPTOR` names. Raises `UsageError`."""
        number, _, descriptor = option.partition(":")
        try:
            line = socket.socket(fileno=int(descriptor))
            os.set_inheritable(line.fileno(), False)  # the supervisor must see this process's end, whatever it started
            line.setblocking(False)
            return cls(int(number), line)
        except (ValueError, OSError):
            raise UsageError("--member is for a supervisor only; use --processes.") from None

    @property
    def name(self) -> str:
        return f"worker {self.number}"

    @contextmanager
    def obey(self, stopper: Stopper) -> Generator[None]:
        """Say that the worker works; do what the supervisor orders for the length of the block."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._line, self._hear, stopper)
        try:
            self._say(READY)
            yield
        finally:
            loop.remove_reader(self._line)

    def _say(self, word: bytes) -> None:
        try:
            self._line.send(word)
        except ConnectionError:
            return  # its end is heard as well

    def _hear(self, stopper: Stopper) -> None:
        try:
            words = self._line.recv(16)
        except ConnectionError:
            words = b""
        if not words:
            asyncio.get_running_loop().remove_reader(self._line)
            stopper.drain("The supervisor is gone")
        if Order.RELOAD.value in words and self.on_reload is not None:
            self.on_reload("The supervisor")
        if Order.DRAIN.value in words:
            stopper.drain("The supervisor")
        if Order.HAND_BACK.value in words:
            stopper.hand_back("The supervisor")
