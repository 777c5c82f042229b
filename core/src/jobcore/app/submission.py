"""Hands planned jobs to their runners, and tells the observers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from jobcore.app.runners import RunnerPool
from jobcore.execution.observing import NOBODY
from jobcore.models import AlikeJobs, Enqueued, NewJob
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
        _, answers = await self.submit_all(jobs, connection)
        return answers

    async def submit_all(
        self, jobs: Iterable[NewJob], connection: Any = None, runner: str | None = None
    ) -> tuple[Sequence[UUID], Sequence[Enqueued]]:
        """Enqueue jobs as `submit` does; return the tenant of each, and its answer.

        Args:
            jobs: may be planned while they are asked for.
            connection: in whose transaction.
            runner: the one that all of them name, if that is known before they are planned: it may then store the first
                while the last are planned.
        """
        if isinstance(jobs, AlikeJobs):
            answers = await self._hand_to(jobs.common.runner_type, jobs, connection)
            self._tell(jobs, jobs.tenants, answers)
            return jobs.tenants, answers
        planned: list[NewJob] = []
        if runner is not None:
            answers = await self._hand_to(runner, _remembered(jobs, planned), connection)
        else:
            planned.extend(jobs)
            answers = await self._distribute(planned, connection)
        tenants = [job.tenant for job in planned]
        self._tell(planned, tenants, answers)
        return tenants, answers

    def _tell(self, jobs: Iterable[NewJob], tenants: Sequence[UUID], answers: Sequence[Enqueued]) -> None:
        if len(answers) != len(tenants):
            raise RuntimeError(f"A runner answered {len(answers)} times to {len(tenants)} jobs.")
        if self._observer is NOBODY:
            return
        for job, answer in zip(jobs, answers, strict=True):
            self._observer.job_enqueued(job, answer)

    async def _distribute(self, jobs: Sequence[NewJob], connection: Any) -> list[Enqueued]:
        by_runner: dict[str, list[int]] = {}
        for position, job in enumerate(jobs):
            by_runner.setdefault(job.runner_type, []).append(position)
        answers: dict[int, Enqueued] = {}
        for name, positions in by_runner.items():
            accepted = await self._hand_to(name, [jobs[position] for position in positions], connection)
            answers.update(zip(positions, accepted, strict=True))
        return [answers[position] for position in range(len(jobs))]

    async def _hand_to(self, runner: str, jobs: Iterable[NewJob], connection: Any) -> Sequence[Enqueued]:
        return await (await self._runners.get(runner)).submit(jobs, connection=connection)


def _remembered(jobs: Iterable[NewJob], taken: list[NewJob]) -> Iterator[NewJob]:
    for job in jobs:
        taken.append(job)
        yield job
