"""The application behind a command: made from the settings, or named by `--app`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from jobcore.errors import ConfigurationError

if TYPE_CHECKING:
    from jobcore.app.facade import JobApp
    from jobcore.settings import Settings

T = TypeVar("T")


def make_app(name: str | None = None, *, handlers: bool = False, settings: Settings | None = None) -> JobApp:
    """Return the application, not yet open.

    Args:
        name: `module:attribute` of a `JobApp`, or of a function without arguments that returns one.
        handlers: whether the application's own handlers are needed; without them its modules are not imported.
        settings: instead of those that are configured; not with `name`.

    Raises:
        ConfigurationError, PluginError: if it cannot be made; the message says what to do.
    """
    look_in_current_folder()
    if name is not None:
        return _named_app(name)
    from jobcore.app.facade import JobApp
    from jobcore.settings import Settings

    chosen = Settings.load() if settings is None else settings
    return JobApp(chosen if handlers else chosen.model_copy(update={"handlers": ()}))


def run_with(
    app: JobApp,
    work: Callable[[JobApp], Awaitable[T]],
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> T:
    """Open the application, do the work and close it, on Python's own event loop or on one that `new_loop` makes.

    Blocks; raises what opening and the work raise.
    """

    async def run() -> T:
        async with app:
            return await work(app)

    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(run())


def ask(work: Callable[[JobApp], Awaitable[T]], *, app: str | None = None, handlers: bool = False) -> T:
    """Make the application and do one piece of work with it. Blocks."""
    return run_with(make_app(app, handlers=handlers), work)


def look_in_current_folder() -> None:
    """Let modules of the current folder be imported, first of all, as `python -m` does."""
    here = str(Path.cwd())
    if sys.path[:1] != [here]:
        sys.path.insert(0, here)


def _named_app(name: str) -> JobApp:
    from jobcore.app.facade import JobApp

    value = _load(name)
    app: Any = value if isinstance(value, JobApp) or not callable(value) else value()
    if not isinstance(app, JobApp):
        raise ConfigurationError(
            f"--app {name} is a {type(app).__name__}: name a JobApp, or a function without arguments that returns one."
        )
    return app


def _load(name: str) -> Any:
    module, colon, path = name.partition(":")
    if not (module and colon and path):
        raise ConfigurationError(f"--app {name!r} is no address of an application: write module:attribute.")
    try:
        value: Any = import_module(module)
        for attribute in path.split("."):
            value = getattr(value, attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            f"--app {name}: {error}. Modules are looked for in the current folder, on PYTHONPATH and among what is "
            "installed."
        ) from error
    return value
