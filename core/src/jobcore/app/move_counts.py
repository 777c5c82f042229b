"""What a cutover counts, for its progress and its report."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from jobcore.models import HandlerStanding, MovedHandler, MovedJob, MoveVerdict

CutoverProgress = Callable[[int, int], None]
"""Hears how many jobs were looked at, and how many waited at the beginning."""
SKIPPED = {
    MoveVerdict.KEPT: "its engine keeps it: another program sent it, or it was sent with rules of its queue",
    MoveVerdict.BUSY: "somebody held it each time; run the cutover again",
}


class Counts:
    """What became of the jobs, by handler."""

    def __init__(
        self, standings: Iterable[HandlerStanding], refused: Mapping[str, str], progress: CutoverProgress | None
    ) -> None:
        self._standings = {one.handler: one for one in standings}
        self._refused = refused
        self._progress = progress
        self._total = sum(one.waiting for one in self._standings.values() if one.handler not in refused)
        self._moved: Counter[str] = Counter()
        self._skipped: dict[str, Counter[str]] = defaultdict(Counter)
        self._after = dict(self._standings)
        self.schedules: Counter[str] = Counter()
        self.busy = 0

    def begin_turn(self) -> None:
        """What was not moved is looked at once more."""
        self._skipped.clear()
        self.busy = 0

    def add(self, page: Iterable[MovedJob]) -> None:
        for job in page:
            if job.verdict is MoveVerdict.MOVED:
                self._moved[job.handler] += 1
            elif job.verdict is not MoveVerdict.RUNNING:
                self._skipped[job.handler][job.reason or SKIPPED[job.verdict]] += 1
                self.busy += job.verdict is MoveVerdict.BUSY
        if self._progress is not None:
            looked_at = self._moved.total() + sum(reasons.total() for reasons in self._skipped.values())
            self._progress(min(looked_at, self._total), self._total)

    def expect(self, handlers: Iterable[str]) -> None:
        """Count as moved what would be."""
        for name in handlers:
            self._moved[name] = self._standings[name].waiting
            self.schedules[name] = self._standings[name].schedules
        self._after = {name: HandlerStanding(handler=name, running=one.running) for name, one in self._after.items()}

    def see(self, left: Iterable[HandlerStanding]) -> None:
        """Take in what the source has at the end."""
        now = {one.handler: one for one in left}
        self._after = {name: now.get(name, HandlerStanding(handler=name)) for name in self._standings}

    def by_handler(self) -> Iterator[MovedHandler]:
        for name, before in self._standings.items():
            skipped = {self._refused[name]: before.waiting} if name in self._refused else dict(self._skipped[name])
            after = self._after[name]
            yield MovedHandler(
                handler=name,
                moved=self._moved[name],
                running=after.running,
                arrived=max(0, after.waiting - sum(skipped.values())),
                schedules=self.schedules[name],
                skipped={reason: count for reason, count in skipped.items() if count},
            )
