"""Telling one client after the other: the marks and the mails of a client commit together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from jobcore import JobContext
from jobcore_handlers.credit_notices import logs
from jobcore_handlers.credit_notices.due import DueClient, DueCredit, Terms
from jobcore_handlers.credit_notices.notice import begin_notice
from jobcore_handlers.isolation import ItemFailure, reason_of
from jobcore_handlers.mailing import Mail
from jobcore_handlers.mailing.address import ApplicationAddress
from jobcore_handlers.mailing.errors import MailError
from jobcore_handlers.mailing.outbox import put_mail
from jobcore_handlers.statements import Connection, Statements


@dataclass(slots=True)
class Told:
    """What a run came to."""

    clients: int = 0
    credits: int = 0
    mails: int = 0
    clients_without_contact: int = 0

    def as_result(self) -> dict[str, int]:
        names = {"clients": "clients", "credits": "credits", "mails": "mails",
                 "clients_without_contact": "clientsWithoutContact"}  # fmt: skip
        return {names[name]: count for name, count in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Failure:
    """A client that could not be told."""

    text: str
    is_passing: bool


class Notifier:
    """Writes the notices of one job into the outbox of mails."""

    def __init__(self, ctx: JobContext, terms: Terms) -> None:
        self._ctx = ctx
        self._terms = terms
        self._address = ctx.services.get(ApplicationAddress)
        self.told = Told()

    async def tell_all(self, due: Sequence[DueClient]) -> Sequence[Failure]:
        """Tell each client; return those that could not be told. The others' notices are committed."""
        failures: list[Failure] = []
        for done, client in enumerate(due, start=1):
            self._ctx.signal.raise_if_aborted()
            try:
                await self._tell(client)
            except (*ItemFailure, MailError) as error:
                reason = reason_of(error)
                logs.client_failed(self._ctx.logger, client.client_id, reason)
                await self._ctx.detail(f"Client {client.client_id}", "failed", result={"error": reason})
                failures.append(Failure(reason, not isinstance(error, MailError) or error.is_passing))
            await self._ctx.progress(100 * done / len(due), f"Client {done} of {len(due)}")
        return failures

    async def _tell(self, due: DueClient) -> None:
        async with self._ctx.db.transaction() as connection:
            notice = await begin_notice(connection, self._ctx.tenant_id, due.client_id, self._terms, self._address)
            if not notice.contacts:
                logs.nobody_to_tell(self._ctx.logger, due.client_id)
                self.told.clients_without_contact += 1
                return
            announced: list[DueCredit] = []
            mails: list[Mail] = []
            for threshold, found in due.by_threshold().items():
                if ours := await self._mark(connection, threshold, found):
                    announced += ours
                    mails += notice.mails(self._ctx.job_id, threshold, ours)
            for mail in mails:
                await put_mail(connection, self._ctx.tenant_id, mail)
        if mails:
            logs.client_told(self._ctx.logger, due.client_id, len(announced), len(mails))
            self.told.clients += 1
            self.told.credits += len(announced)
            self.told.mails += len(mails)

    async def _mark(self, connection: Connection, threshold: int, found: Sequence[DueCredit]) -> list[DueCredit]:
        """Mark the credits as announced; return those that no other run marked meanwhile."""
        marked = await Statements("credit_notices", connection).all(
            "mark_told",
            _Marked,
            tenant=self._ctx.tenant_id,
            threshold=threshold,
            credits=[credit.credit_id for credit in found],
            job=self._ctx.job_id,
        )
        ours = {row.credit_id for row in marked}
        return [credit for credit in found if credit.credit_id in ours]


@dataclass(frozen=True, slots=True)
class _Marked:
    credit_id: UUID
