"""Sending what stands in the outbox: claimed in batches, each mail settled by itself.

A claim lapses, so another worker sends the mails of one that was killed. Nothing is sent under a claim that may have
lapsed, so two workers never send one mail at the same time.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from jobcore import JobContext
from jobcore.errors import JobCancelledError
from jobcore_handlers.mailing import logs
from jobcore_handlers.mailing.claims import LEASE, TIME_LIMIT, ClaimedMail, Claims
from jobcore_handlers.mailing.errors import MailError, MailInterruptedError, MailServerError
from jobcore_handlers.mailing.sender import MailSender

Outcome = Literal["sent", "deferred", "dead"]

LAST_CLAIM_AFTER = TIME_LIMIT - LEASE
"""So long after its begin a run claims no more: a batch that it could not finish would cost its mails an attempt."""
_TO_SETTLE = timedelta(seconds=20)
"""So long before a claim lapses sending stops, to leave time to write down what became of the mail."""


class MailQueue:
    """One run over the mails that are due."""

    def __init__(self, ctx: JobContext, batch_size: int) -> None:
        self._ctx = ctx
        self._batch_size = batch_size
        self._claims = Claims(ctx)
        self._ended: Counter[Outcome] = Counter({"sent": 0, "deferred": 0, "dead": 0})

    async def send_due(self, limit: int) -> Counter[Outcome]:
        """Send mails until none is due, `limit` were tried or time is short; return how many came to which end.

        Raises:
            MailServerError: if no mail can be sent; those that were claimed wait a minute.
        """
        clock = asyncio.get_running_loop().time
        last_claim = clock() + LAST_CLAIM_AFTER.total_seconds()
        self._ended["dead"] += await self._claims.bury_lapsed()
        due, tried = min(limit, await self._claims.count_due()), 0
        if not due:  # so an application that sends no mail needs no mail server
            return self._ended
        async with self._ctx.services.get(MailSender).session() as session:
            while tried < limit and (batch := await self._claims.take(min(self._batch_size, limit - tried))):
                await self._send_batch(session, batch)
                tried += len(batch)
                await self._ctx.progress(100 * tried / max(due, tried), f"{tried} mails")
                if clock() >= last_claim:
                    break
        return self._ended

    async def _send_batch(self, session: MailSender, batch: Sequence[ClaimedMail]) -> None:
        clock = asyncio.get_running_loop().time
        ends_at = clock() + (LEASE - _TO_SETTLE).total_seconds()
        waiting = deque(batch)
        try:
            while waiting and clock() < ends_at:
                self._ctx.signal.raise_if_aborted()
                await self._send(session, waiting[0], ends_at)
                waiting.popleft()
        except (MailServerError, JobCancelledError):
            await self._claims.release(waiting)
            raise
        await self._claims.release(waiting)

    async def _send(self, session: MailSender, mail: ClaimedMail, ends_at: float) -> None:
        try:
            async with asyncio.timeout_at(ends_at):
                await session.send(mail.as_mail())
        except MailServerError:
            raise
        except MailError as error:
            await self._fail(mail, error)
        except TimeoutError:
            await self._fail(mail, MailInterruptedError("The mail server did not take the mail while its claim stood."))
        else:
            await self._claims.settle_sent(mail)
            self._ended["sent"] += 1

    async def _fail(self, mail: ClaimedMail, error: MailError) -> None:
        await self._claims.settle_failed(mail, error)
        is_dead = mail.is_lost_to(error)
        logs.mail_not_sent(self._ctx.logger, mail.mail_id, error, is_dead=is_dead)
        self._ended["dead" if is_dead else "deferred"] += 1
