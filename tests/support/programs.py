"""Random programs over flow control: what may be asked of a system, in which order. `support.playing` plays them."""

from __future__ import annotations

from dataclasses import dataclass, fields

from hypothesis import strategies as st

KINDS = ("plain", "single", "keyed", "pair", "rated", "fair")
RULES = ("skip", "replace", "supersede", "debounce", "throttle", "queue")
PLOTS = st.text("frshcn", max_size=3)
"""What each attempt does: fail, ask for a retry, snooze, hold until let go, cancel itself, or fail for good."""


class Step:
    """One line of a program; it is printed without what is as usual."""

    def __repr__(self) -> str:
        shown = [f"{f.name}={value!r}" for f in fields(self) if (value := getattr(self, f.name)) != f.default]  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(frozen=True, repr=False)
class Enqueue(Step):
    kind: str = "plain"
    plot: str = ""
    tenant: int = 0
    key: int = 0
    rule: str | None = None
    parents: tuple[int, ...] = ()
    on_failure: str = "cancel"
    delay: int = 0


@dataclass(frozen=True, repr=False)
class Again(Step):
    """Say an enqueue again, as a client does that was not answered."""

    which: int = 0


@dataclass(frozen=True, repr=False)
class CancelJob(Step):
    which: int = 0


@dataclass(frozen=True, repr=False)
class RetryJob(Step):
    which: int = 0


@dataclass(frozen=True, repr=False)
class Release(Step):
    which: int = 0


@dataclass(frozen=True, repr=False)
class Pause(Step):
    what: str = "handler"
    kind: str = "plain"
    tenant: int = 0


@dataclass(frozen=True, repr=False)
class Resume(Pause):
    pass


@dataclass(frozen=True, repr=False)
class Work(Step):
    """Let some jobs begin."""

    jobs: int = 1


@dataclass(frozen=True, repr=False)
class Pass(Step):
    """Let time pass, in the units of retries and delays."""

    units: int = 1


@dataclass(frozen=True, repr=False)
class Crash(Step):
    """A worker takes some jobs and is never heard of again."""

    jobs: int = 1


_which = st.integers(0, 7)
_tenant = st.integers(0, 1)
_enqueues = st.builds(
    Enqueue,
    kind=st.sampled_from(KINDS),
    plot=PLOTS,
    tenant=_tenant,
    key=st.integers(0, 1),
    rule=st.none() | st.sampled_from(RULES),
    parents=st.lists(_which, max_size=2).map(tuple),
    on_failure=st.sampled_from(("cancel", "run", "wait")),
    delay=st.sampled_from((0, 0, 1, 3)),
)
_pausing = {
    "what": st.sampled_from(("handler", "queue", "tenant")),
    "kind": st.sampled_from(KINDS),
    "tenant": _tenant,
}
_others = [
    st.builds(Again, _which),
    st.builds(CancelJob, _which),
    st.builds(RetryJob, _which),
    st.builds(Release, _which),
    st.builds(Pause, **_pausing),
    st.builds(Resume, **_pausing),
    st.builds(Work, st.integers(1, 3)),
    st.builds(Pass, st.integers(1, 4)),
]


_keyed = st.builds(
    Enqueue,
    kind=st.sampled_from(("plain", "single")),
    plot=PLOTS,
    key=st.integers(0, 1),
    rule=st.sampled_from(RULES),
    delay=st.sampled_from((0, 1)),
)


def programs(*, crashes: bool, most: int = 25) -> st.SearchStrategy[list[Step]]:
    """Return programs of at most `most` steps."""
    others = [*_others, st.builds(Crash, st.integers(1, 2))] if crashes else _others
    return st.lists(st.one_of(_enqueues, _keyed, *others), min_size=1, max_size=most)
