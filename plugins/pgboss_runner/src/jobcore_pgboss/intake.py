"""The jobs of one call, planned as they are asked for: PostgreSQL stores the first while the last are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from jobcore.errors import PayloadLimitError
from jobcore.models import AlikeJobs, NewJob
from jobcore_pgboss.refusals import check_timeout

Chunk = Sequence[NewJob] | AlikeJobs

CHUNK = 150
"""Jobs that are planned before PostgreSQL hears of them."""
HEAVIEST_CHUNK = 16 * 1024 * 1024
"""Bytes of payload after which a chunk ends."""
HEAVIEST_CALL = 192 * 1024 * 1024
"""Bytes of payload that one call may bring: PostgreSQL takes no JSON array above 256 MiB."""


class Intake:
    """What one call brings.

    Args:
        jobs: made when they are asked for; what their making raises comes out of `chunks`.

    Raises:
        CapabilityError: if one may run longer than pg-boss lets it; for jobs that are looked at one by one, there too.
    """

    def __init__(self, jobs: Iterable[NewJob]) -> None:
        self._source = _Alike(jobs) if isinstance(jobs, AlikeJobs) else _Various(jobs)
        self._count = 0
        self.weight = 0
        """Bytes of the payloads that have been taken."""
        self.planning_error: Exception | None = None
        """What the making of a job raised."""

    @property
    def is_large(self) -> bool:
        """Whether what has been taken fills a chunk."""
        return self._count >= CHUNK or self.weight >= HEAVIEST_CHUNK

    @property
    def ids(self) -> Sequence[UUID]:
        """Of the jobs that have been taken."""
        return self._source.ids

    def next_chunk(self) -> Chunk | None:
        """Take the next jobs; `None` at the end. Raises `PayloadLimitError`."""
        begin, full = self._count, self.weight + HEAVIEST_CHUNK
        try:
            for weight in self._source.weights:
                self._count += 1
                self.weight += weight
                if self.weight >= full or self._count - begin == CHUNK:
                    break
        except Exception as error:
            self.planning_error = error
            raise
        if self.weight > HEAVIEST_CALL:
            raise PayloadLimitError(
                f"The payloads of these jobs have more than {HEAVIEST_CALL:,} bytes together, the most that one call "
                "takes. Enqueue them in several calls."
            )
        return self._source.taken_from(begin) if self._count > begin else None

    def chunks(self) -> Iterator[Chunk]:
        """Take the jobs that are still to come, a chunk at a time. Raises `PayloadLimitError`."""
        while (chunk := self.next_chunk()) is not None:
            yield chunk

    def take_all(self) -> list[NewJob]:
        """Take the rest, and return all. Raises `PayloadLimitError`."""
        for _ in self.chunks():
            pass
        return list(self._source.taken_from(0))


class _Various:
    """Jobs that are taken one by one."""

    def __init__(self, jobs: Iterable[NewJob]) -> None:
        self._taken: list[NewJob] = []
        self.weights = self._take(jobs)
        """Takes a job each time it is asked: how many bytes its payload has."""

    @property
    def ids(self) -> list[UUID]:
        return [job.job_id for job in self._taken]

    def taken_from(self, begin: int) -> list[NewJob]:
        return self._taken[begin:]

    def _take(self, jobs: Iterable[NewJob]) -> Iterator[int]:
        for job in jobs:
            self._taken.append(check_timeout(job))
            yield len(job.payload)


class _Alike:
    """Jobs of which nobody makes an object each; has what `_Various` has."""

    def __init__(self, jobs: AlikeJobs) -> None:
        check_timeout(jobs.common)
        self._jobs = jobs
        self.weights = self._take()

    @property
    def ids(self) -> list[UUID]:
        return self._jobs.ids

    def taken_from(self, begin: int) -> AlikeJobs:
        return self._jobs.planned_from(begin)

    def _take(self) -> Iterator[int]:
        payloads = self._jobs.payloads
        yield from map(len, payloads)
        while self._jobs.plan_next():
            yield len(payloads[-1])
