"""The services of an application: instances, and factories that run when a handler first asks."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

from jobcore.errors import ConfigurationError

T = TypeVar("T")


class ServiceContainer:
    """What handlers find under `ctx.services`, by type. Safe from any thread.

    Args:
        services: instances, each found under its own class; or a mapping from type to instance.
    """

    def __init__(self, services: Iterable[Any] | Mapping[type, Any] = ()) -> None:
        self._instances: dict[type, Any] = {}
        self._factories: dict[type, Callable[[], Any]] = {}
        self._making = threading.RLock()
        if isinstance(services, Mapping):
            for kind, service in cast("Mapping[type, Any]", services).items():
                self.add(service, kind)
        else:
            for service in services:
                self.add(service)

    def add(self, service: Any, kind: type | None = None) -> None:
        """Offer `service` to handlers that ask for `kind`; by default for its own class. Replaces an earlier one.

        Raises:
            ConfigurationError: if `service` is a class: an instance, or a factory given to `provide`, is meant.
        """
        if inspect.isclass(service):
            raise ConfigurationError(
                f"{service!r} is a class: add an instance, or call provide() with a factory of its instances."
            )
        if kind is not None and not isinstance(service, kind):
            raise ConfigurationError(f"{service!r} is no {_name(kind)}, and cannot stand for one.")
        self._instances[kind or type(service)] = service

    def provide(self, kind: type[T], factory: Callable[[], T]) -> None:
        """Offer what `factory` returns; it is called once, when `kind` is first asked for."""
        with self._making:
            self._factories[kind] = factory
            self._instances.pop(kind, None)

    def get(self, kind: type[T]) -> T:
        """Return the service of this type. Raises `ConfigurationError`, naming what is registered, if there is none."""
        if kind in self._instances:
            return cast("T", self._instances[kind])
        with self._making:
            if kind not in self._instances:
                self._instances[kind] = self._factory_of(kind)()
            return cast("T", self._instances[kind])

    def __contains__(self, kind: object) -> bool:
        return isinstance(kind, type) and (kind in self._instances or kind in self._factories)

    def _factory_of(self, kind: type[T]) -> Callable[[], T]:
        try:
            return self._factories[kind]
        except KeyError:
            known = ", ".join(sorted(_name(known) for known in {*self._instances, *self._factories})) or "none"
            raise ConfigurationError(
                f"No service of type {_name(kind)} is registered; registered: {known}. "
                "Pass it to JobApp(services=...), or call app.services.add()."
            ) from None


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
