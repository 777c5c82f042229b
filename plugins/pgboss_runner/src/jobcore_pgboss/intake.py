"""The jobs of one call, planned as they are asked for: PostgreSQL stores the first while the last are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jobcore.errors import PayloadLimitError
from jobcore.models import NewJob

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
    """

    def __init__(self, jobs: Iterable[NewJob]) -> None:
        self._coming = iter(jobs)
        self.taken: list[NewJob] = []
        """The jobs that have been asked for."""
        self.weight = 0
        """Bytes of their payloads."""

    @property
    def is_large(self) -> bool:
        """Whether what has been taken fills a chunk."""
        return len(self.taken) >= CHUNK or self.weight >= HEAVIEST_CHUNK

    def next_chunk(self) -> list[NewJob]:
        """Take the next jobs; none at the end. Raises `PayloadLimitError`."""
        begin, full = len(self.taken), self.weight + HEAVIEST_CHUNK
        for job in self._coming:
            self.taken.append(job)
            self.weight += len(job.payload)
            if self.weight >= full or len(self.taken) - begin == CHUNK:
                break
        if self.weight > HEAVIEST_CALL:
            raise PayloadLimitError(
                f"The payloads of these jobs have more than {HEAVIEST_CALL:,} bytes together, the most that one call "
                "takes. Enqueue them in several calls."
            )
        return self.taken[begin:]

    def chunks(self) -> Iterator[list[NewJob]]:
        """Take the jobs that are still to come, a chunk at a time. Raises `PayloadLimitError`."""
        while chunk := self.next_chunk():
            yield chunk

    def take_all(self) -> list[NewJob]:
        """Take the rest, and return all. Raises `PayloadLimitError`."""
        for _ in self.chunks():
            pass
        return self.taken
