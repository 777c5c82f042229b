"""The registry of handlers: by name, shared by the application and its workers (H01)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any, cast

from jobcore.errors import DuplicateHandlerError, HandlerNotFoundError, InvalidHandlerError
from jobcore.handlers.definition import DEFAULT_TIMEOUT, HandlerDefinition, define
from jobcore.policies.retry import DEFAULT_RETRY, RetryPolicy
from jobcore.ports.context import JobContext

AnyHandler = HandlerDefinition[Any, Any]


class JobHandlerRegistry:
    """Handlers by job name. Not a global: an application makes one, and tests make their own.

    Args:
        own: names of which the application's own handler takes the place of a plugin's (`plugins.prefer`).
    """

    def __init__(self, *, own: Collection[str] = ()) -> None:
        self._own = own
        self._handlers: dict[str, AnyHandler] = {}
        self._sources: dict[str, str] = {}

    def register(self, handler: AnyHandler | Mapping[str, Any], *, force: bool = False, source: str = "") -> AnyHandler:
        """Add a handler and return its definition.

        Args:
            handler: a definition made by `@job`, or the founding documents' configuration as a mapping: `name`,
                `handler` (a function `(job_id, data)` or `(ctx, data)`), `retry`, `timeout_ms` (R13).
            force: replace a handler of the same name instead of refusing.
            source: who registers it: a distribution with its version; empty for the application itself.

        Raises:
            InvalidHandlerError: if it is no handler, or an upcaster of its payload is missing.
            DuplicateHandlerError: if the name is taken; names both sources.
        """
        definition = handler if isinstance(handler, HandlerDefinition) else from_config(handler)
        definition.check_upcasters()
        known = self._handlers.get(definition.name)
        if known is not None and known is not definition and not force and not self._gives_way(known.name, source):
            raise DuplicateHandlerError(
                f"Two handlers claim the job name {definition.name!r}: {self._describe(definition.name)} and "
                f"{definition.location}{f' of {source}' if source else ''}. {self._remedy(definition.name, source)}"
            )
        self._handlers[definition.name] = definition
        self._sources[definition.name] = source
        return definition

    def get(self, name: str) -> AnyHandler:
        """Return the handler of this name. Raises `HandlerNotFoundError`, with near names."""
        try:
            return self._handlers[name]
        except KeyError:
            raise HandlerNotFoundError(name, self._handlers) from None

    def find(self, name: str) -> AnyHandler | None:
        """Return the handler of this name, or `None`."""
        return self._handlers.get(name)

    def has(self, name: str) -> bool:
        return name in self._handlers

    def get_config(self, name: str) -> dict[str, Any]:
        """Return a handler's configuration in the founding documents' shape. Raises `HandlerNotFoundError`."""
        handler = self.get(name)
        return {
            "name": handler.name,
            "handler": handler.function,
            "retry": handler.retry,
            "timeout_ms": int(handler.timeout / timedelta(milliseconds=1)),
        }

    async def execute(self, name: str, ctx: JobContext, data: Any) -> Any:
        """Run a handler's function here and now, without time-out, retry or record. Raises whatever it raises."""
        result = self.get(name).function(ctx, data)
        return await result if inspect.isawaitable(result) else result

    def get_registered_names(self) -> list[str]:
        return sorted(self._handlers)

    def source_of(self, name: str) -> str:
        """Return who registered the handler; empty for the application itself."""
        return self._sources.get(name, "")

    def queues(self) -> Mapping[str, frozenset[str]]:
        """Return each queue with the names of the handlers that share it."""
        queues: dict[str, set[str]] = {}
        for handler in self._handlers.values():
            queues.setdefault(handler.queue, set()).add(handler.name)
        return {queue: frozenset(names) for queue, names in queues.items()}

    def unregister(self, name: str) -> None:
        """Forget a handler. Raises `HandlerNotFoundError`."""
        self.get(name)
        del self._handlers[name], self._sources[name]

    def clear(self) -> None:
        """Forget all handlers (the documents' `force` of an initialisation)."""
        self._handlers.clear()
        self._sources.clear()

    def __iter__(self) -> Iterator[AnyHandler]:
        return iter([self._handlers[name] for name in sorted(self._handlers)])

    def __len__(self) -> int:
        return len(self._handlers)

    def __contains__(self, name: object) -> bool:
        return name in self._handlers

    def _gives_way(self, name: str, source: str) -> bool:
        return name in self._own and self._is_between_plugin_and_application(name, source)

    def _remedy(self, name: str, source: str) -> str:
        if self._is_between_plugin_and_application(name, source):
            return f'Rename yours, or let it win: plugins.prefer = {{"handler:{name}" = "application"}}.'
        return "Rename one, or replace the first one with force=True."

    def _is_between_plugin_and_application(self, name: str, source: str) -> bool:
        return self._sources[name] != "" and source == ""

    def _describe(self, name: str) -> str:
        source = self._sources.get(name)
        return f"{self._handlers[name].location}{f' of {source}' if source else ''}"


def from_config(config: Mapping[str, Any]) -> AnyHandler:
    """Return the definition of a founding document's handler configuration (R13): `(job_id, data)` is adapted.

    Raises:
        InvalidHandlerError: if `name` or `handler` is missing or of the wrong type.
    """
    name, function = config.get("name"), config.get("handler")
    if not isinstance(name, str) or not callable(function):
        raise InvalidHandlerError(
            "A handler configuration needs 'name' (text) and 'handler' (a function); "
            f"this one has {sorted(str(key) for key in config)}."
        )
    timeout_ms = config.get("timeout_ms", config.get("timeoutMs"))
    timeout = DEFAULT_TIMEOUT if timeout_ms is None else timedelta(milliseconds=float(timeout_ms))
    return define(name, _adapt(function), retry=_retry_of(config.get("retry")), timeout=timeout)


def _retry_of(value: Any) -> RetryPolicy:
    if value is None:
        return DEFAULT_RETRY
    if isinstance(value, RetryPolicy):
        return value
    return RetryPolicy.from_milliseconds(**cast("dict[str, Any]", value))


def _adapt(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `(ctx, data)` form of a document's `(job_id, data)` function; told apart by the first name."""
    first = next(iter(inspect.signature(function).parameters), "")
    wants_id = first in {"job_id", "jobId", "id", "_job_id"}

    def call(ctx: JobContext, data: dict[str, Any]) -> Any:
        return function(str(ctx.job_id) if wants_id else ctx, data)

    async def call_async(ctx: JobContext, data: dict[str, Any]) -> Any:
        return await function(str(ctx.job_id) if wants_id else ctx, data)

    adapted = call_async if inspect.iscoroutinefunction(function) else call
    adapted.__module__, adapted.__qualname__, adapted.__doc__ = (
        function.__module__,
        function.__qualname__,
        function.__doc__,
    )
    return adapted
