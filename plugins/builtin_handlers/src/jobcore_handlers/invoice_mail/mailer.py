"""From invoices to mails: each one by itself, so that one that fails does not stop the others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import psycopg

from jobcore import JobContext, Snooze
from jobcore.errors import NonRetryableError, StorageError
from jobcore_handlers.errors import BillingError, FileStoreError, InvoiceNotFoundError
from jobcore_handlers.files.port import FileStore
from jobcore_handlers.invoice_jobs import describe_invoice
from jobcore_handlers.invoice_mail import logs
from jobcore_handlers.invoice_mail.errors import InvoiceNotSentError, NoRecipientError
from jobcore_handlers.invoice_mail.links import InvoiceLinks, make_links
from jobcore_handlers.invoice_mail.payload import InvoiceEmail
from jobcore_handlers.invoice_mail.records import Draft, Records
from jobcore_handlers.invoice_mail.wording import values_of
from jobcore_handlers.isolation import reason_of
from jobcore_handlers.mailing import Attachment, Mail, MailSender
from jobcore_handlers.mailing.errors import MailError
from jobcore_handlers.printing.renderer import InvoiceRenderer

LAST_BEGIN_AFTER = timedelta(minutes=8)
"""So long after its begin a run takes up no further invoice; the handler's time-out would come in the middle of one."""
PAUSE = timedelta(seconds=1)

_Reason = (BillingError, MailError, FileStoreError, OSError, psycopg.Error)


@dataclass(frozen=True, slots=True)
class Failure:
    """An invoice that was not sent."""

    text: str
    is_passing: bool


class InvoiceMailer:
    """Sends the invoices of one job."""

    def __init__(self, ctx: JobContext, data: InvoiceEmail) -> None:
        self._ctx = ctx
        self._data = data
        self._records = Records(ctx, data.user_id)
        self._store = ctx.services.get(FileStore)
        self._renderer = ctx.services.get(InvoiceRenderer)
        self._links = ctx.services.get(InvoiceLinks)
        self._sender = ctx.services.get(MailSender)

    async def send_all(self) -> Sequence[Failure]:
        """Send what earlier attempts did not send; return what could not be sent.

        Raises:
            Snooze: if time is short: the next run goes on. One that sent nothing does not give way to another.
        """
        clock = asyncio.get_running_loop().time
        last_begin = clock() + LAST_BEGIN_AFTER.total_seconds()
        invoices, sent = self._data.invoices, await self._records.sent_before()
        is_progress = False
        for position, invoice_id in enumerate(invoices):
            await self._report(position, invoice_id, "completed" if invoice_id in sent else "pending")
        failures: list[Failure] = []
        async with self._sender.session() as session:
            for position, invoice_id in enumerate(invoices):
                self._ctx.signal.raise_if_aborted()
                if invoice_id in sent:
                    await self._show(invoice_id)
                elif is_progress and clock() >= last_begin:
                    raise Snooze(PAUSE)
                elif failure := await self._try(session, position, invoice_id):
                    failures.append(failure)
                else:
                    is_progress = True
                await self._ctx.progress(100 * (position + 1) / len(invoices), f"Invoice {position + 1}")
        return failures

    async def _try(self, session: MailSender, position: int, invoice_id: UUID) -> Failure | None:
        name = f"Invoice {invoice_id}"
        try:
            draft = await self._records.load(invoice_id)
            name = f"Invoice #{draft.invoice.sheet.number} for client {draft.invoice.client_id}"
            mail = await self._print(position, draft)
            await self._send(session, position, mail, invoice_id)
        except _Reason as error:
            text = f"Failed to process {name}: {reason_of(error)}"
            logs.invoice_not_sent(self._ctx.logger, text)
            await self._report(position, invoice_id, "failed", {"error": text})
            return Failure(text, _is_passing(error))
        await self._show(invoice_id)
        return None

    async def _print(self, position: int, draft: Draft) -> Mail:
        """Store the invoice's file, and return the mail that it goes with."""
        invoice, recipient = draft.invoice, draft.recipient
        sheet, invoice_id = invoice.sheet, invoice.invoice_id
        if recipient.email is None:
            raise NoRecipientError(invoice.client_id, sheet.number)
        step, metadata = self._data.pdf_step(position), self._metadata(invoice_id)
        await self._ctx.detail(step, "processing", metadata=metadata)
        content = await self._renderer.render(sheet)
        name = f"{sheet.number}{self._renderer.extension}"
        file = await self._store.put(self._ctx.tenant_id, name, content, file_id=self._records.file_id(invoice_id))
        await self._records.save_document(invoice, file, self._renderer.mime_type)
        links = await make_links(self._ctx, self._links, invoice_id)
        wording = draft.template.fill(values_of(sheet, recipient.name or sheet.client.name, links))
        await self._ctx.detail(step, "completed", result={"file_id": str(file.file_id)}, metadata=metadata)
        return Mail(
            mail_id=self._records.mail_id(invoice_id),
            to=recipient.email.strip(),
            to_name=recipient.name or "",
            subject=wording.subject,
            text=wording.text,
            html=wording.html,
            attachments=(Attachment(name=file.name, mime_type=self._renderer.mime_type, content=content),),
        )

    async def _send(self, session: MailSender, position: int, mail: Mail, invoice_id: UUID) -> None:
        step, metadata = self._data.mail_step(position), self._metadata(invoice_id)
        # Also a fence: a worker that lost the job is stopped here, before it sends what the next attempt sends.
        await self._ctx.detail(step, "processing", metadata=metadata)
        try:
            await session.send(mail)
        except MailError as error:
            raise InvoiceNotSentError(error) from None
        await self._records.mark_sent(invoice_id)
        logs.invoice_sent(self._ctx.logger, invoice_id, mail.mail_id)
        await self._ctx.detail(step, "completed", result={"mail_id": str(mail.mail_id)}, metadata=metadata)

    async def _show(self, invoice_id: UUID) -> None:
        try:
            await self._records.show_document(invoice_id)
        except (psycopg.Error, StorageError) as error:
            logs.document_not_shown(self._ctx.logger, invoice_id, type(error).__name__)

    async def _report(self, position: int, invoice_id: UUID, status: str, result: dict[str, str] | None = None) -> None:
        for step in (self._data.pdf_step(position), self._data.mail_step(position)):
            await self._ctx.detail(step, status, result=result, metadata=self._metadata(invoice_id))

    def _metadata(self, invoice_id: UUID) -> dict[str, str]:
        return describe_invoice(self._ctx.tenant_id, invoice_id)


def _is_passing(error: Exception) -> bool:
    if isinstance(error, MailError):
        return error.is_passing
    return not isinstance(error, InvoiceNotFoundError | NonRetryableError)
