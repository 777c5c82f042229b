"""How a worker process is told to read its settings anew: by SIGHUP, or by its supervisor."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jobcore.app.reload import reload_if_possible
from jobcore.cli import log_lines
from jobcore.ports.reload import Reloadable

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.app.signals import Stopper


class LogLevel(Reloadable):
    """The level of the process's log."""

    @property
    def changeable(self) -> frozenset[str]:
        return frozenset({"log.level"})

    def reload(self, settings: Any) -> Callable[[], None]:
        return lambda: log_lines.set_level(settings.log.level)


class Reloading:
    """Reads the settings of an application anew whenever somebody asks, one after the other."""

    def __init__(self, app: JobApp) -> None:
        self._app = app
        self._level = LogLevel()
        self._tasks: set[asyncio.Task[Any]] = set()
        app.takes_over(self._level)

    def ask(self, who: str) -> None:
        """Begin to read them anew. For the application's own event loop."""
        task = asyncio.create_task(reload_if_possible(self._app.reload, who), name="jobcore-reload")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    @contextmanager
    def hear_signals(self, stopper: Stopper) -> Generator[None]:  # noqa: ARG002 - an `Ear`
        """Take SIGHUP for the length of the block. For the main thread's loop only."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self.ask, "SIGHUP")
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGHUP)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.result()
