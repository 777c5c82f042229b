"""Which runner a job goes to, and why not to each other one that was considered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import blake2b
from uuid import UUID

from jobcore.errors import EditionError, InputError, UnknownRunnerError

WHOLE = 100
"""Percent."""


@dataclass(frozen=True, slots=True)
class Route:
    """Jobs whose name matches the glob `pattern` go to `runner`; `percent` of them, for a canary.

    Raises:
        InputError: if `percent` is not from 0 to 100, or a name is empty.
    """

    pattern: str
    runner: str
    percent: float = WHOLE

    def __post_init__(self) -> None:
        if not self.pattern or not self.runner:
            raise InputError(f"A route needs a pattern and a runner, not {self.pattern!r} and {self.runner!r}.")
        if not 0 <= self.percent <= WHOLE:
            raise InputError(f"Route {self.pattern!r}: percent must be from 0 to 100, not {self.percent!r}.")

    def covers(self, job_name: str) -> bool:
        return fnmatchcase(job_name, self.pattern)

    def draws(self, job_id: UUID) -> bool:
        """Whether this job is within the percentage; raising `percent` keeps every job that was already in."""
        return share_of(job_id) < self.percent


@dataclass(frozen=True, slots=True)
class Runners:
    """What there is to choose from."""

    installed: frozenset[str]
    refused: Mapping[str, str] = field(default_factory=dict[str, str])
    """Runners that the edition does not include, each with the reason."""
    hints: Mapping[str, str] = field(default_factory=dict[str, str])
    """For runners that may be missing: what to do to have them."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """An option that was considered and not taken."""

    option: str
    reason: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The runner of a job, why it is this one, and what became of the options that came before it."""

    runner: str
    reason: str
    rejected: tuple[Rejection, ...] = ()

    def __str__(self) -> str:
        before = "".join(f"; {item.option}: {item.reason}" for item in self.rejected)
        return f"{self.runner} ({self.reason}{before})"


@dataclass(frozen=True, slots=True)
class _Wish:
    """What one option asks for: a runner, or none and the reason. A binding wish that cannot be met is an error."""

    option: str
    runner: str | None
    reason: str
    binding: bool = True


def choose_runner(
    job_name: str,
    job_id: UUID,
    runners: Runners,
    *,
    explicit: str | None = None,
    handler: str | None = None,
    routes: Sequence[Route] = (),
    ask_hook: Callable[[], str | None] | None = None,
    configured: str | None = None,
    defaults: Sequence[str] = (),
) -> Choice:
    """Return the runner of a job: the first of these that names one (DESIGN sections 6 and 14).

    Args:
        explicit: the call's `runner=`.
        handler: the handler's own.
        routes: the configured routes, in order.
        ask_hook: asks `jobcore_select_runner`; called only if nothing before decided. An answer that cannot be used is
            passed over and kept as a reason.
        configured: `JOB_RUNNER_TYPE`.
        defaults: what the edition prefers, best first; the first that is installed.

    Raises:
        UnknownRunnerError: if a runner is named that is not installed, or nothing is left.
        EditionError: if one is named that the edition does not include.
    """
    rejected: list[Rejection] = []
    wishes = _wishes(
        explicit=explicit,
        handler=handler,
        routes=(_route_wish(route, job_name, job_id) for route in routes),
        ask_hook=ask_hook,
        configured=configured,
        defaults=defaults,
    )
    for wish in wishes:
        if wish.runner is None:
            rejected.append(Rejection(wish.option, wish.reason))
            continue
        obstacle = _obstacle(wish.runner, runners)
        if obstacle is None:
            return Choice(wish.runner, wish.reason, tuple(rejected))
        if wish.binding:
            kind = EditionError if wish.runner in runners.refused else UnknownRunnerError
            raise kind(f"Job {job_name!r}: {wish.reason} asks for the runner {wish.runner!r}: {obstacle}")
        rejected.append(Rejection(wish.option, f"named {wish.runner!r}: {obstacle}"))
    tried = "; ".join(f"{item.option}: {item.reason}" for item in rejected)
    raise UnknownRunnerError(f"Job {job_name!r}: no runner is left to choose. {tried}.")


def share_of(job_id: UUID) -> float:
    """Return where a job falls in the percentages: a number from 0 to 100, always the same for the same id."""
    digest = blake2b(job_id.bytes, digest_size=6).digest()
    return int.from_bytes(digest) / 2**48 * 100


def _wishes(
    *,
    explicit: str | None,
    handler: str | None,
    routes: Iterable[_Wish],
    ask_hook: Callable[[], str | None] | None,
    configured: str | None,
    defaults: Iterable[str],
) -> Iterator[_Wish]:
    yield _Wish("runner=", explicit, "the call's runner=" if explicit else "not given")
    yield _Wish("handler", handler, "its handler" if handler else "names none")
    yield from routes
    answer = ask_hook() if ask_hook else None
    yield _Wish("hook", answer, "jobcore_select_runner" if answer else "gave no answer", binding=False)
    yield _Wish("JOB_RUNNER_TYPE", configured, "JOB_RUNNER_TYPE" if configured else "not set")
    yield from (_Wish("edition", runner, "the edition's default", binding=False) for runner in defaults)


def _route_wish(route: Route, job_name: str, job_id: UUID) -> _Wish:
    option = f"route {route.pattern!r} to {route.runner!r}"
    if not route.covers(job_name):
        return _Wish(option, None, "does not match the job's name")
    if not route.draws(job_id):
        return _Wish(option, None, f"covers {route.percent:g} percent, and this job falls at {share_of(job_id):.2f}")
    return _Wish(option, route.runner, option)


def _obstacle(runner: str, runners: Runners) -> str | None:
    if reason := runners.refused.get(runner):
        return reason
    if runner in runners.installed:
        return None
    installed = ", ".join(sorted(runners.installed)) or "none"
    hint = runners.hints.get(runner)
    return f"it is not installed (installed: {installed}).{f' {hint}' if hint else ''}"
