"""Hands planned jobs to their runners, and tells the observers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jobcore.app.runners import RunnerPool
from jobcore.models import Enqueued, NewJob
from jobcore.ports.observer import Observer


class Submission:
    """Gives each job to the runner that its plan names."""

    def __init__(self, runners: RunnerPool, observer: Observer) -> None:
        self._runners = runners
        self._observer = observer

    async def submit(self, jobs: Sequence[NewJob], connection: Any = None) -> Sequence[Enqueued]:
        """Enqueue jobs, and return the answers in their order.

        All jobs of one runner are accepted together or not at all; with a connection, all of them are.
        """
        by_runner: dict[str, list[int]] = {}
        for position, job in enumerate(jobs):
            by_runner.setdefault(job.runner_type, []).append(position)
        answers: dict[int, Enqueued] = {}
        for name, positions in by_runner.items():
            runner = await self._runners.get(name)
            accepted = await runner.submit([jobs[position] for position in positions], connection=connection)
            answers.update(zip(positions, accepted, strict=True))
        ordered = [answers[position] for position in range(len(jobs))]
        for job, answer in zip(jobs, ordered, strict=True):
            self._observer.job_enqueued(job, answer)
        return ordered
