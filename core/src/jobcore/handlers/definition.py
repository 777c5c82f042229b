"""The `@job` decorator: a typed function becomes a handler definition, and nothing is registered behind its back."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Concatenate, Generic, TypeVar, Unpack, cast, get_type_hints, overload

from jobcore.errors import InvalidHandlerError
from jobcore.handlers.payload import VERSION_FIELD, secret_field, takes_version_field
from jobcore.limits import check_job_name, check_queue_name
from jobcore.models import Execution
from jobcore.policies.dedupe import Dedupe
from jobcore.policies.limits import Limit, check_limits
from jobcore.policies.retry import DEFAULT_RETRY, RetryPolicy
from jobcore.ports.context import JobContext

if TYPE_CHECKING:
    from jobcore.ports.handle import EnqueueOptions, Enqueuer, JobHandle

DataT = TypeVar("DataT")
ResultT = TypeVar("ResultT")

DEFAULT_TIMEOUT = timedelta(minutes=10)

HIGHEST_VERSION = 2**31 - 1

HandlerFunction = Callable[[JobContext, DataT], "Awaitable[ResultT] | ResultT"]

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Makes a payload of one version, as JSON values, one of the next. Pure; it may change what it was given."""

UpcasterT = TypeVar("UpcasterT", bound=Upcaster)


def _no_engines() -> Mapping[str, Mapping[str, Any]]:
    return {}


def _no_upcasters() -> dict[int, Upcaster]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerDefinition(Generic[DataT, ResultT]):
    """A handler: its function, its payload's type, and its policies.

    It stays callable, so that a unit test runs the function itself: `await send_mail(ctx, data)`.
    """

    name: str
    function: Callable[[JobContext, DataT], Any]
    payload_type: Any
    """What the second parameter is annotated with: usually a pydantic model; any type that pydantic can check."""
    retry: RetryPolicy = DEFAULT_RETRY
    timeout: timedelta = DEFAULT_TIMEOUT
    execution: Execution = Execution.ASYNC
    queue: str = ""
    """The name by default; handlers may share a queue."""
    priority: int = 0
    runner: str | None = None
    """The engine this handler asks for; `None` leaves it to the routes and the settings."""
    edition: str = "community"
    description: str = ""
    limits: tuple[Limit, ...] = ()
    """What its jobs have to pass before their engine gets them."""
    dedupe: Dedupe | None = None
    """Which of its jobs mean the same, and what a new one of them does."""
    abort_grace: timedelta = field(default=timedelta(seconds=5))
    """How long an aborted handler may take to end before it is cancelled (async) or killed (process)."""
    version: int = 1
    """The version of the payload that the function takes."""
    engines: Mapping[str, Mapping[str, Any]] = field(default_factory=_no_engines, hash=False)
    """What it tells single engines beside, by their names: `{"temporal": {"mode": "activity"}}`."""
    upcasters: dict[int, Upcaster] = field(default_factory=_no_upcasters, repr=False, compare=False)
    """By the version that each starts from; see `upcast`."""

    def __call__(self, ctx: JobContext, data: DataT) -> Any:
        return self.function(ctx, data)

    async def enqueue(self, app: Enqueuer, data: DataT, **options: Unpack[EnqueueOptions]) -> JobHandle[ResultT]:
        """Enqueue this job on `app`; see `JobApp.enqueue` for the options, and what is raised."""
        return await app.enqueue(self, data, **options)

    def upcast(self, *, from_version: int) -> Callable[[UpcasterT], UpcasterT]:
        """Decorate the function that makes a payload of `from_version` one of the next version.

        It takes and returns the payload as JSON values, and stays callable. A claim of an older payload goes through
        the upcasters from its version on before it is parsed.

        Raises:
            InvalidHandlerError: if there is no such older version, or an upcaster from it already.
        """

        def register(upcaster: UpcasterT) -> UpcasterT:
            told = f"Job {self.name!r}: {location_of(upcaster)} is to upcast from version {from_version!r}"
            if from_version not in range(1, self.version):
                raise InvalidHandlerError(
                    f"{told}, but the payload is of version {self.version}: write @job({self.name!r}, version=...) "
                    "with the newest version, and upcast from the older ones."
                )
            if from_version in self.upcasters:
                raise InvalidHandlerError(f"{told}, as {location_of(self.upcasters[from_version])} does already.")
            self.upcasters[from_version] = upcaster
            return upcaster

        return register

    def check_upcasters(self) -> None:
        """Raise `InvalidHandlerError` if the chain of upcasters, once begun, does not lead to the handler's version."""
        wanted = range(min(self.upcasters, default=self.version), self.version)
        missing = [version for version in wanted if version not in self.upcasters]
        if missing:
            raise InvalidHandlerError(
                f"Job {self.name!r}: {self.location} upcasts from version {wanted[0]}, but not from version "
                f"{missing[0]}: write @{self.function.__name__}.upcast(from_version={missing[0]})."
            )

    @property
    def location(self) -> str:
        """Where the function is defined, for messages: `module:qualname`."""
        return location_of(self.function)


@overload
def job(
    name: str,
    *,
    retry: RetryPolicy = ...,
    timeout: timedelta = ...,
    execution: Execution | str | None = ...,
    queue: str | None = ...,
    priority: int = ...,
    runner: str | None = ...,
    edition: str = ...,
    description: str | None = ...,
    limits: Sequence[Limit] = ...,
    dedupe: Dedupe | None = ...,
    abort_grace: timedelta = ...,
    version: int = ...,
    engines: Mapping[str, Mapping[str, Any]] = ...,
) -> _JobDecorator: ...


@overload
def job(name: Callable[..., Any]) -> HandlerDefinition[Any, Any]: ...


def job(name: Any, **options: Any) -> Any:
    """Make a handler of a function `(ctx, data)`, with its payload's type read from the annotation of `data`.

    Args:
        name: the job's name, unique within an application; letters, digits, `_`, `-`, `.` and `/`.
        retry: when and how often to try again; 3 attempts from 1 second, doubling up to 30 seconds.
        timeout: how long one attempt may take; 10 minutes by default.
        execution: `async`, `thread` or `process`; by default `async` for `async def` and `thread` for `def`.
        queue: the queue's name, if several handlers are to share one.
        priority: higher is more important.
        runner: the engine this handler asks for.
        edition: `enterprise` keeps it out of the Community Edition.
        description: one line for lists; by default the first line of the docstring.
        limits: `Concurrency`, `RateLimit` and `FairShare`: how many of its jobs run at once, how often they begin, and
            whose turn it is. Jobs that have to wait for them are `pending`.
        dedupe: which of its jobs mean the same, and what a new one of them does: a `Dedupe`.
        abort_grace: how long an aborted handler may take to end by itself.
        version: the version of the payload; raise it when older payloads do not fit any more, and write an upcaster.
        engines: what single engines are told beside, by their names; the others do not look at it.

    Raises:
        InvalidHandlerError: if the function cannot serve, with the reason.
    """
    if callable(name):
        function = cast("Callable[..., Any]", name)
        raise InvalidHandlerError(
            f'Write @job("a-name") above {location_of(function)}; a job\'s name outlives its function.'
        )
    return _JobDecorator(name, options)


class _JobDecorator:
    """What `job("name", ...)` returns; typed so that the definition keeps the function's payload and result."""

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self._name = name
        self._options = options

    @overload
    def __call__(
        self, function: Callable[Concatenate[JobContext, DataT, ...], Awaitable[ResultT]], /
    ) -> HandlerDefinition[DataT, ResultT]: ...

    @overload
    def __call__(
        self, function: Callable[Concatenate[JobContext, DataT, ...], ResultT], /
    ) -> HandlerDefinition[DataT, ResultT]: ...

    def __call__(self, function: Callable[..., Any], /) -> Any:
        return define(self._name, function, **self._options)


def define(name: str, function: Callable[..., Any], **options: Any) -> HandlerDefinition[Any, Any]:
    """Return the definition of `function` as job `name`; what `@job` calls. Raises `InvalidHandlerError`."""
    check_job_name(name)
    payload_type = _payload_type(name, function)
    execution = _execution(name, function, options.pop("execution", None))
    queue = check_queue_name(options.pop("queue", None) or name)
    description = options.pop("description", None)
    timeout = options.get("timeout", DEFAULT_TIMEOUT)
    if not isinstance(timeout, timedelta) or timeout <= timedelta():
        raise InvalidHandlerError(f"Job {name!r}: timeout must be a timedelta above zero, not {timeout!r}.")
    retry = options.get("retry", DEFAULT_RETRY)
    if not isinstance(retry, RetryPolicy):
        raise InvalidHandlerError(
            f"Job {name!r}: retry must be a RetryPolicy, not {retry!r}: RetryPolicy(max_attempts=3)."
        )
    version = options.get("version", 1)
    if isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= HIGHEST_VERSION:
        raise InvalidHandlerError(f"Job {name!r}: version must be a whole number from 1, not {version!r}.")
    if description is None:
        description = (inspect.getdoc(function) or "").partition("\n")[0]
    return HandlerDefinition(
        name=name,
        function=function,
        payload_type=payload_type,
        execution=execution,
        queue=queue,
        description=description,
        limits=check_limits(name, options.pop("limits", ())),
        **options,
    )


def _payload_type(name: str, function: Callable[..., Any]) -> Any:
    parameters = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    if len(parameters) != 2:
        raise InvalidHandlerError(
            f"Job {name!r}: {location_of(function)} must take exactly (ctx, data), not {inspect.signature(function)}."
        )
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError as error:
        raise InvalidHandlerError(
            f"Job {name!r}: the annotations of {location_of(function)} do not resolve ({error}); "
            "import the payload's model at module level, outside TYPE_CHECKING."
        ) from error
    annotation = hints.get(parameters[1].name)
    if annotation is None:
        raise InvalidHandlerError(
            f"Job {name!r}: annotate {parameters[1].name!r} of {location_of(function)} with the payload's type, "
            "for instance a subclass of jobcore.JobData, or dict[str, Any] for any object."
        )
    secret = secret_field(annotation)
    if secret is not None:
        raise InvalidHandlerError(
            f"Job {name!r}: the payload's {secret} would be stored as stars, and the handler would get the stars. "
            "A payload is stored and shown: pass where the secret is kept, not the secret."
        )
    if takes_version_field(annotation):
        raise InvalidHandlerError(
            f"Job {name!r}: the payload's field {VERSION_FIELD} is kept for the payload's own version; rename it."
        )
    return annotation


def _execution(name: str, function: Callable[..., Any], wanted: Execution | str | None) -> Execution:
    is_async = inspect.iscoroutinefunction(function)
    if wanted is None:
        return Execution.ASYNC if is_async else Execution.THREAD
    try:
        execution = Execution(wanted)
    except ValueError:
        raise InvalidHandlerError(
            f"Job {name!r}: execution must be 'async', 'thread' or 'process', not {wanted!r}."
        ) from None
    if is_async and execution is Execution.THREAD:
        raise InvalidHandlerError(f"Job {name!r}: {location_of(function)} is async; write 'def' to run it in a thread.")
    if not is_async and execution is Execution.ASYNC:
        raise InvalidHandlerError(
            f"Job {name!r}: {location_of(function)} is a plain 'def' and would block the event loop; "
            "write 'async def', or leave it to a thread."
        )
    return execution


def location_of(function: Callable[..., Any]) -> str:
    return f"{getattr(function, '__module__', '?')}:{getattr(function, '__qualname__', repr(function))}"
