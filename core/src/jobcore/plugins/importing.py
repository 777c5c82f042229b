"""Imports a plugin so that nothing it does there can harm the start."""

from __future__ import annotations

import sys
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from importlib.metadata import EntryPoint
from threading import Thread
from typing import Any

from jobcore.errors import PluginError


class PluginFailedError(PluginError):
    """A plugin raised, took too long, or broke its contract; the message says which, and the cause is chained."""


def import_plugin(entry: EntryPoint, seconds: float) -> Any:
    """Import the entry's module and return it, or the object in it that the entry names.

    The import runs in a thread of its own, for at most `seconds`; one that takes longer is left behind in that thread.
    Blocks meanwhile. A `KeyboardInterrupt` passes through.

    Raises:
        PluginFailedError: for whatever else the import raises, `SystemExit` included, or if the time is over.
    """
    try:
        return entry.load() if _is_half_imported(entry.module) else _load_in_thread(entry, seconds)
    except FutureTimeoutError:
        raise PluginFailedError(
            f"its import did not end within {seconds:g} s; a plugin's module must be light "
            "(plugins.import_seconds sets the time)."
        ) from None
    except (Exception, SystemExit) as error:
        raise PluginFailedError(f"its import raised {describe(error)}") from error


def describe(error: BaseException) -> str:
    """Return an error's type and message in one line."""
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _is_half_imported(module: str) -> bool:
    """Whether the caller itself is importing the package, so that another thread would wait for it for ever."""
    package = sys.modules.get(module.partition(".")[0])
    return bool(getattr(getattr(package, "__spec__", None), "_initializing", False))


def _load_in_thread(entry: EntryPoint, seconds: float) -> Any:
    loaded: Future[Any] = Future()

    def load() -> None:
        try:
            loaded.set_result(entry.load())
        except BaseException as error:  # noqa: BLE001 - carried to the caller, which sorts it
            loaded.set_exception(error)

    Thread(target=load, name=f"jobcore-import-{entry.name}", daemon=True).start()
    return loaded.result(timeout=seconds)
