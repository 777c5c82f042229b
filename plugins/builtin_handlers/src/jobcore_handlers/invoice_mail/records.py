"""What the mailing of invoices reads and writes for one job."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid5

from jobcore import JobContext
from jobcore.ids import NO_USER
from jobcore_handlers.files.port import StoredFile
from jobcore_handlers.invoice_mail.wording import BUILT_IN, TEMPLATE
from jobcore_handlers.mailing.templates import MailTemplate, find_template
from jobcore_handlers.printing.loader import LoadedInvoice, load_sheet
from jobcore_handlers.statements import Statements

_ROOM = "invoice_mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """To whom a client's invoices go, and in which language."""

    locale: str
    email: str | None
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """All that an invoice's mail is made of, before it is printed."""

    invoice: LoadedInvoice
    recipient: Recipient
    template: MailTemplate


class Records:
    """One job's rows. All ids follow from the job's and the invoice's: a retry overwrites, never adds."""

    def __init__(self, ctx: JobContext, user_id: UUID | None) -> None:
        self._ctx = ctx
        self._user_id = user_id or NO_USER

    def file_id(self, invoice_id: UUID) -> UUID:
        return uuid5(self._ctx.job_id, f"invoice/{invoice_id}")

    def document_id(self, invoice_id: UUID) -> UUID:
        return uuid5(self._ctx.job_id, f"document/{invoice_id}")

    def mail_id(self, invoice_id: UUID) -> UUID:
        return uuid5(self._ctx.job_id, f"mail/{invoice_id}")

    async def sent_before(self) -> set[UUID]:
        """Return the invoices that earlier attempts of this job sent."""
        async with self._ctx.db.transaction() as connection:
            rows = await Statements(_ROOM, connection).all(
                "list_sent", _Sent, tenant=self._ctx.tenant_id, job=self._ctx.job_id
            )
        return {row.invoice_id for row in rows}

    async def load(self, invoice_id: UUID) -> Draft:
        """Raises `InvoiceNotFoundError`."""
        tenant = self._ctx.tenant_id
        async with self._ctx.db.transaction() as connection:
            invoice = await load_sheet(connection, tenant, invoice_id)
            recipient = await Statements(_ROOM, connection).first(
                "find_recipient", Recipient, tenant=tenant, client=invoice.client_id
            )
            assert recipient is not None  # noqa: S101 - the invoice's foreign key holds its client
            template = await find_template(connection, tenant, TEMPLATE, recipient.locale, built_in=BUILT_IN)
        return Draft(invoice=invoice, recipient=recipient, template=template)

    async def save_document(self, invoice: LoadedInvoice, file: StoredFile, mime_type: str) -> None:
        """Write the rows of the file and of the document, which the client does not see yet."""
        owner = {"tenant": self._ctx.tenant_id, "user": self._user_id, "file": file.file_id, "name": file.name}
        async with self._ctx.db.transaction() as connection:
            await Statements("bundles", connection).run(
                "save_file", **owner, mime_type=mime_type, size=file.size, sha256=file.sha256, key=file.key
            )
            await Statements(_ROOM, connection).run(
                "save_document",
                **owner,
                document=self.document_id(invoice.invoice_id),
                client=invoice.client_id,
                invoice=invoice.invoice_id,
                job=self._ctx.job_id,
            )

    async def mark_sent(self, invoice_id: UUID) -> None:
        async with self._ctx.db.transaction() as connection:
            await Statements(_ROOM, connection).run(
                "mark_sent",
                tenant=self._ctx.tenant_id,
                job=self._ctx.job_id,
                invoice=invoice_id,
                mail=self.mail_id(invoice_id),
                document=self.document_id(invoice_id),
            )

    async def show_document(self, invoice_id: UUID) -> None:
        """Let the client see the document from now on."""
        async with self._ctx.db.transaction() as connection:
            await Statements(_ROOM, connection).run(
                "show_document", tenant=self._ctx.tenant_id, document=self.document_id(invoice_id)
            )


@dataclass(frozen=True, slots=True)
class _Sent:
    invoice_id: UUID
    document_id: UUID
