"""What the registration hooks get: one registry for each kind of thing a plugin can provide.

A registry only collects. It belongs to one plugin, and the manager takes over what it holds when the whole plugin has
registered without an error.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from inspect import iscoroutinefunction
from typing import Any, Generic, Protocol, TypeVar

from jobcore.errors import PluginError
from jobcore.plugins.records import Origin
from jobcore.ports.middleware import Middleware
from jobcore.ports.observer import CALLS, Observer
from jobcore.ports.reasons import ReasonFinder
from jobcore.ports.runner import Capabilities, JobRunner, RunnerContext
from jobcore.ports.store import JobStore

RunnerFactory = Callable[[RunnerContext], JobRunner]
"""Makes a runner that is not yet open; imports its driver or SDK here."""

StorageFactory = Callable[[Any], JobStore]
"""Makes a store that is not yet open, from the `jobcore.settings.Settings`."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


class _Named(Protocol):
    @property
    def name(self) -> str: ...


ItemT = TypeVar("ItemT", bound=_Named)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredRunner:
    """A runner that a plugin offers."""

    name: str
    factory: RunnerFactory
    capabilities: Capabilities
    edition: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredStorage:
    """A storage that a plugin offers."""

    name: str
    factory: StorageFactory
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredMiddleware:
    """A middleware and its place: the lowest `order` is outermost."""

    middleware: Middleware
    order: int
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredObserver:
    """An observer and its place: the lowest `order` is told first."""

    observer: Observer
    order: int
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class LazyTarget:
    """Something with a name, imported when it is used: a command or a panel."""

    name: str
    target: str
    """`module:attribute`."""
    text: str
    """A command's help, a panel's title."""
    origin: Origin

    def load(self) -> Any:
        """Import and return the target.

        Raises:
            PluginError: if the module does not import, or lacks the attribute.
        """
        module, _, path = self.target.partition(":")
        try:
            value: Any = import_module(module)
            for attribute in path.split("."):
                value = getattr(value, attribute)
        except (ImportError, AttributeError) as error:
            raise PluginError(f"{self.origin} offers {self.name!r} as {self.target}, which fails: {error}.") from error
        return value


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The answer of one check of `jobcore doctor`."""

    name: str
    ok: bool
    message: str
    """What was found."""
    remedy: str = ""
    """What to do, if it is not well."""


Check = Callable[[Any], Awaitable[CheckResult]]
"""An async function that takes the app. It may open connections, and closes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredCheck:
    """A check that a plugin offers."""

    name: str
    check: Check
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredReason:
    """A finder of one reason that a plugin offers."""

    code: str
    runner: str | None
    """The runner of whose jobs alone it knows something."""
    finder: ReasonFinder
    origin: Origin

    @property
    def name(self) -> str:
        return self.code if self.runner is None else f"{self.runner}.{self.code}"


class _Collection(Generic[ItemT]):
    """Items by name, all from one plugin."""

    kind: str

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._items: dict[str, ItemT] = {}

    @property
    def items(self) -> tuple[ItemT, ...]:
        """What was registered, in that order."""
        return tuple(self._items.values())

    def _put(self, item: ItemT) -> None:
        if not _NAME.fullmatch(item.name):
            raise PluginError(
                f"{self._origin}: {item.name!r} cannot name a {self.kind}; "
                "use lower-case letters, digits, '_', '-' and '.', at most 63, beginning with a letter or a digit."
            )
        if item.name in self._items:
            raise PluginError(f"{self._origin} registers the {self.kind} {item.name!r} twice.")
        self._items[item.name] = item

    def _require_callable(self, name: str, value: object) -> None:
        if not callable(value):
            raise PluginError(f"{self._origin}: the {self.kind} {name!r} must be callable, not {type(value).__name__}.")

    def _require_target(self, name: str, target: str) -> None:
        if not _TARGET.fullmatch(target):
            raise PluginError(
                f"{self._origin}: the {self.kind} {name!r} names {target!r}; write it as 'module:attribute'."
            )


class RunnerRegistry(_Collection[RegisteredRunner]):
    """Takes the runners of one plugin."""

    kind = "runner"

    def register_runner(
        self, name: str, factory: RunnerFactory, *, capabilities: Capabilities, edition: str = "community"
    ) -> None:
        """Offer a runner under `name`, the value of `JOB_RUNNER_TYPE`.

        Raises:
            PluginError: if the name does not serve or is taken by this plugin, or the factory is not callable.
        """
        self._require_callable(name, factory)
        self._put(
            RegisteredRunner(
                name=name, factory=factory, capabilities=capabilities, edition=edition, origin=self._origin
            )
        )


class StorageRegistry(_Collection[RegisteredStorage]):
    """Takes the storages of one plugin."""

    kind = "storage"

    def register_storage(self, name: str, factory: StorageFactory) -> None:
        """Offer a storage under `name`, the value of `JOBCORE_STORAGE`. Raises `PluginError` as `register_runner`."""
        self._require_callable(name, factory)
        self._put(RegisteredStorage(name=name, factory=factory, origin=self._origin))


class CommandRegistry(_Collection[LazyTarget]):
    """Takes the commands of one plugin."""

    kind = "command"

    def add(self, name: str, target: str, help: str = "") -> None:  # noqa: A002 - typer's and argparse's own word
        """Offer `jobcore NAME`: a typer app or a function at `module:attribute`, imported when it is called.

        Raises:
            PluginError: if the name does not serve or is taken by this plugin, or the target is written wrongly.
        """
        self._require_target(name, target)
        self._put(LazyTarget(name=name, target=target, text=help, origin=self._origin))


class PanelRegistry(_Collection[LazyTarget]):
    """Takes the dashboard panels of one plugin."""

    kind = "panel"

    def add(self, name: str, title: str, target: str) -> None:
        """Offer a panel: what the dashboard renders is at `module:attribute`. Raises `PluginError` as for commands."""
        self._require_target(name, target)
        self._put(LazyTarget(name=name, target=target, text=title, origin=self._origin))


class CheckRegistry(_Collection[RegisteredCheck]):
    """Takes the checks of one plugin."""

    kind = "check"

    def add(self, name: str, check: Check) -> None:
        """Offer a check of `jobcore doctor`. Raises `PluginError` as `register_runner`."""
        self._require_callable(name, check)
        self._put(RegisteredCheck(name=name, check=check, origin=self._origin))


class ReasonRegistry(_Collection[RegisteredReason]):
    """Takes the finders of reasons of one plugin."""

    kind = "reason"

    def add(self, code: str, finder: ReasonFinder, *, runner: str | None = None) -> None:
        """Offer a finder of the reason `code`, for `jobcore why`.

        Args:
            code: what programs know the reason by.
            finder: an object with an async `explain(question)`.
            runner: ask it only about jobs of this runner. There it takes the place of a finder of the same code that
                is asked about jobs of all runners.

        Raises:
            PluginError: if the code does not serve or is taken by this plugin, or the finder has no `explain`.
        """
        if not callable(getattr(finder, "explain", None)):
            raise PluginError(
                f"{self._origin}: the reason {code!r} needs an object with an async explain(question), "
                f"not {type(finder).__name__}."
            )
        self._put(RegisteredReason(code=code, runner=runner, finder=finder, origin=self._origin))


class MiddlewareRegistry:
    """Takes the middleware of one plugin."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._items: list[RegisteredMiddleware] = []

    @property
    def items(self) -> tuple[RegisteredMiddleware, ...]:
        return tuple(self._items)

    def add(self, middleware: Middleware, *, order: int = 0) -> None:
        """Wrap every handler's run in `middleware`. Raises `PluginError` if it is not callable."""
        if not callable(middleware):
            raise PluginError(f"{self._origin}: a middleware must be callable, not {type(middleware).__name__}.")
        self._items.append(RegisteredMiddleware(middleware=middleware, order=order, origin=self._origin))


class ObserverRegistry:
    """Takes the observers of one plugin."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._items: list[RegisteredObserver] = []

    @property
    def items(self) -> tuple[RegisteredObserver, ...]:
        return tuple(self._items)

    def add(self, observer: Observer, *, order: int = 0) -> None:
        """Tell `observer` what happens, after those of a lower order.

        Raises:
            PluginError: unless it is an instance of a subclass of `Observer`, whose methods are plain functions.
        """
        if not isinstance(observer, Observer):  # pyright: ignore[reportUnnecessaryIsInstance] - plugins may be untyped
            raise PluginError(
                f"{self._origin}: an observer is an instance of a subclass of jobcore.ports.Observer, "
                f"not {type(observer).__name__}."
            )
        for name in CALLS:
            if iscoroutinefunction(getattr(observer, name)):
                raise PluginError(
                    f"{self._origin}: {type(observer).__name__}.{name} is async, and nobody would await it: write "
                    "'def', and start a task of your own for what takes time."
                )
        self._items.append(RegisteredObserver(observer=observer, order=order, origin=self._origin))
