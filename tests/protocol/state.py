"""What the model knows at one instant: rows, workflows, runs, and what is under way between them."""

from __future__ import annotations

from typing import NamedTuple

TEMPORAL, PGBOSS = "temporal", "pgboss"
TERMINAL = frozenset({"completed", "failed", "cancelled"})
ATTEMPTS = 2
"""What the job is allowed."""


class Token(NamedTuple):
    """A lease: of the try `number` of a workflow's run (`epoch`, `run`) on Temporal, of a claim `number` on pgboss."""

    engine: str
    epoch: int
    run: int
    number: int


class Row(NamedTuple):
    """The job in `jobs`."""

    status: str
    epoch: int
    runner: str
    attempt: int = 0
    most: int = ATTEMPTS
    rescues: int = 0
    token: Token | None = None
    cancel: bool = False


class Entry(NamedTuple):
    """The job of one epoch in `jobcore.outbox`."""

    epoch: int
    state: str = "due"
    tried: bool = False
    taken: bool = False
    """Whether a relay's lease on it runs."""
    runner: str = TEMPORAL
    """Whose outbox it is in: that of another engine, which has none, nobody looks into."""


class Queue(NamedTuple):
    """The job in `pgboss.job`."""

    active: bool
    count: int
    begun: bool
    fence: int
    """Which claim of all it is of, if it is active."""


class Store(NamedTuple):
    """The database."""

    row: Row | None = None
    outbox: tuple[Entry, ...] = ()
    queue: Queue | None = None
    fences: int = 0
    ends: int = 0
    """Terminal events since the enqueue, or the last retry of an operator's."""
    commits: int = 0
    """Ends as completed, of all times."""


class Flow(NamedTuple):
    """A workflow: `open`, or how it ended; `lost` if the server has forgotten it."""

    epoch: int
    run: int = 1
    state: str = "open"
    number: int = 1
    """Which try of the activity."""
    activity: str = "ready"
    """`ready`: to be delivered; `out`: some worker has it; `record`: the workflow writes the end."""
    cancel: str = "no"
    """`asked`, until the job's row was told; then `told`, and the activity is to be cancelled."""
    end: tuple[int, str] | None = None
    """The attempt and outcome that it is to write."""
    left: bool = False
    """Whether the job left it by a move or a cancellation."""
    again: bool = False
    """Whether it began over one that had been closed."""


class Run(NamedTuple):
    """What a worker has in hand: a try of an activity, or a claim in pgboss's queue."""

    engine: str
    epoch: int
    run: int
    number: int
    phase: str = "called"
    """`called`, `runs` (the handler does), `ends` (it has), `says` (its row is written; it is yet to be reported)."""
    attempt: int = 0
    word: str = ""
    """How it ends, or what it says."""

    @property
    def token(self) -> Token:
        return Token(self.engine, self.epoch, self.run, self.number)


class Relay(NamedTuple):
    """An entry in a relay's hands."""

    epoch: int
    phase: str = "took"
    """Then `started`, or `failed` if it knows of no start."""


class Look(NamedTuple):
    """What a reconciler has seen of an epoch, and not yet written."""

    epoch: int
    word: str


class Budget(NamedTuple):
    """How many faults and interventions may still happen, by kind, and altogether."""

    total: int
    crash: int = 2
    reply: int = 1
    freeze: int = 1
    expire: int = 1
    move: int = 2
    cancel: int = 1
    retry: int = 1
    engine: int = 1
    snooze: int = 1
    away: int = 1
    refuse: int = 1

    def spend(self, kind: str) -> Budget | None:
        left = getattr(self, kind)
        if not self.total or not left:
            return None
        spent = self._replace(total=self.total - 1, **{kind: left - 1})
        return Budget(*(min(one, spent.total) for one in spent))


class World(NamedTuple):
    """All of it, and what an invariant remembers of the past."""

    left: Budget
    store: Store = Store()
    flows: tuple[Flow, ...] = ()
    runs: tuple[Run, ...] = ()
    relays: tuple[Relay, ...] = ()
    looks: tuple[Look, ...] = ()
    wishes: tuple[str, ...] = ()
    """What operators want and an engine is yet to be told: the one that had the job when they wanted it."""
    mode: str = "workflow"
    """`activity`: the job runs in Temporal without a workflow, and is a `Flow` all the same."""
    effects: int = 0
    """How often a handler committed what it did without its end: only without a rule."""
    half: str = ""
    """What a transaction has written that is not one: only without a rule."""
    cancelled: bool = False
    """Whether an operator was told that his cancellation counts."""
    claimed: frozenset[tuple[int, str]] = frozenset()
    """The epochs in which the job was claimed, and by which engine."""
    given_up: tuple[int, int] | None = None
    """The last workflow run that was started again after the server had forgotten it."""
    breach: str = ""
    """The invariant that does not hold any more."""

    def flow(self, epoch: int) -> Flow | None:
        return next((flow for flow in self.flows if flow.epoch == epoch), None)

    def with_flow(self, flow: Flow) -> World:
        others = [other for other in self.flows if other.epoch != flow.epoch]
        return self._replace(flows=tuple(sorted([*others, flow])))

    def without_run(self, run: Run) -> World:
        runs = list(self.runs)
        runs.remove(run)
        return self._replace(runs=tuple(runs))

    def with_run(self, old: Run | None, new: Run) -> World:
        world = self if old is None else self.without_run(old)
        return world._replace(runs=tuple(sorted([*world.runs, new])))
