"""Attempts that are killed in a process of their own, as a power cut would."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from builtin_handlers.context import AttemptContext

PATIENCE = 60
"""Seconds for a process that is to be killed."""


def die() -> None:
    """End this process at once, with nothing said to anybody."""
    os.kill(os.getpid(), signal.SIGKILL)


async def killed(work: Callable[..., None], *arguments: Any) -> None:
    """Run `work` in a process of its own, which is to be killed in it. Everything given has to be picklable."""
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    await asyncio.to_thread(process.join, PATIENCE)
    assert process.exitcode == -signal.SIGKILL


class KilledInTransaction(AttemptContext):
    """Dies at the end of its handler's transaction number `at`, just before the commit or just after it."""

    at = 1
    is_committed = False

    @property
    def db(self) -> Any:
        inner, attempt = super().db, self

        class Killing:
            @asynccontextmanager
            async def transaction(self) -> AsyncIterator[Any]:
                attempt.at -= 1
                async with inner.transaction() as connection:
                    yield connection
                    attempt.die_if(is_committed=False)
                attempt.die_if(is_committed=True)

        return Killing()

    def die_if(self, *, is_committed: bool) -> None:
        if self.at == 0 and self.is_committed is is_committed:
            die()


class KilledAfterCommit(KilledInTransaction):
    """Dies right after its first commit."""

    is_committed = True


class KilledBeforeCompletion(AttemptContext):
    """Dies when everything is written, the completion as well, and nothing of it is committed."""

    @asynccontextmanager
    async def complete_in(self, connection: Any, *, result: Any = None) -> AsyncIterator[Any]:
        async with super().complete_in(connection, result=result) as opened:
            yield opened
        die()
