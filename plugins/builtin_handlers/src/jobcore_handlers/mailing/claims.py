"""The rows of the outbox as a worker has them: claimed for a while, then settled one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from jobcore import SYSTEM_TENANT, JobContext, RetryPolicy
from jobcore_handlers.mailing.errors import MailError
from jobcore_handlers.mailing.mail import Mail
from jobcore_handlers.statements import Statements

PATIENCE = RetryPolicy(max_attempts=10, initial_interval=timedelta(minutes=1), max_interval=timedelta(hours=6))
"""How often and how soon a mail is tried again; some eight hours in all."""
LEASE = timedelta(minutes=5)
"""How long a claim stands; then the mail is another worker's to send."""
TIME_LIMIT = 2 * LEASE
"""How long a run may take."""
REST = timedelta(minutes=1)
"""How long a mail waits that was claimed and not tried."""

_LAPSED = "The worker that was sending this mail died, at the last attempt; it may have been sent."


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedMail:
    """A mail that this worker alone may send, until its claim lapses."""

    tenant: UUID
    mail_id: UUID
    attempts: int
    """This one included."""
    to_address: str
    to_name: str
    subject: str
    text_body: str
    html_body: str | None

    def as_mail(self) -> Mail:
        return Mail(
            mail_id=self.mail_id,
            to=self.to_address,
            to_name=self.to_name,
            subject=self.subject,
            text=self.text_body,
            html=self.html_body,
        )

    def is_lost_to(self, error: MailError) -> bool:
        """Whether a mail that failed so is not tried again."""
        return not error.is_passing or self.attempts >= PATIENCE.max_attempts


class Claims:
    """The mails of the job's tenant; for a job of the system tenant those of all."""

    def __init__(self, ctx: JobContext) -> None:
        self._db = ctx.db
        self._id = uuid4()
        self._whose = {"tenant": ctx.tenant_id, "everybody": ctx.tenant_id == SYSTEM_TENANT}

    async def take(self, size: int) -> Sequence[ClaimedMail]:
        """Claim at most `size` of the mails that are due and that nobody else is claiming."""
        async with self._db.transaction() as connection:
            return await Statements("mailing", connection).all(
                "claim_mails",
                ClaimedMail,
                **self._whose,
                claim=self._id,
                batch=size,
                lease=LEASE,
                max_attempts=PATIENCE.max_attempts,
            )

    async def count_due(self) -> int:
        async with self._db.transaction() as connection:
            found = await Statements("mailing", connection).first("count_due", _Count, **self._whose)
        return 0 if found is None else found.count

    async def bury_lapsed(self) -> int:
        """Give up the mails whose last attempt nobody settled; return how many."""
        async with self._db.transaction() as connection:
            buried = await Statements("mailing", connection).all(
                "bury_lapsed", _Buried, **self._whose, max_attempts=PATIENCE.max_attempts, error=_LAPSED
            )
        return len(buried)

    async def settle_sent(self, mail: ClaimedMail) -> None:
        async with self._db.transaction() as connection:
            await Statements("mailing", connection).run("settle_sent", **self._key(mail))

    async def settle_failed(self, mail: ClaimedMail, error: MailError) -> None:
        """Let the mail wait for its next attempt, or be dead."""
        values = {
            "status": "dead" if mail.is_lost_to(error) else "pending",
            "attempts": mail.attempts,
            "wait": PATIENCE.delay_before(mail.attempts + 1),
            "error": str(error),
        }
        async with self._db.transaction() as connection:
            await Statements("mailing", connection).run("settle_unsent", **self._key(mail), **values)

    async def release(self, mails: Sequence[ClaimedMail]) -> None:
        """Give back mails that were not tried: it costs them no attempt."""
        if not mails:
            return
        many = [
            {**self._key(mail), "status": "pending", "attempts": mail.attempts - 1, "wait": REST, "error": None}
            for mail in mails
        ]
        async with self._db.transaction() as connection:
            await Statements("mailing", connection).run_each("settle_unsent", many)

    def _key(self, mail: ClaimedMail) -> dict[str, Any]:
        return {"tenant": mail.tenant, "mail": mail.mail_id, "claim": self._id}


@dataclass(frozen=True, slots=True)
class _Buried:
    mail_id: UUID


@dataclass(frozen=True, slots=True)
class _Count:
    count: int
