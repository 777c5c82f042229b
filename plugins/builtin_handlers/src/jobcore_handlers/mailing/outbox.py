"""The outbox: mails that are sent if, and only if, the transaction that writes them commits."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from jobcore_handlers.mailing.errors import MailContentError
from jobcore_handlers.mailing.mail import Mail, check
from jobcore_handlers.statements import Connection, Statements


async def put_mail(connection: Connection, tenant: UUID, mail: Mail) -> bool:
    """Write a mail into the outbox, in the transaction of `connection`; `email.process-queue` sends it.

    Returns whether it is new: a mail whose `mail_id` is there already is left as it is, so that whoever computes its
    ids may write twice.

    Raises:
        MailContentError: if it could not be sent: no address, a line break in a name or the subject, too long, or
            attachments, which the outbox does not keep.
    """
    if mail.attachments:
        raise MailContentError("The outbox keeps no attachments: put a link to the file into the mail.")
    check(mail)
    written = await Statements("mailing", connection).first(
        "put_mail",
        _Written,
        tenant=tenant,
        mail=mail.mail_id,
        to_address=mail.to,
        to_name=mail.to_name,
        subject=mail.subject,
        text_body=mail.text,
        html_body=mail.html,
    )
    return written is not None


@dataclass(frozen=True, slots=True)
class _Written:
    mail_id: UUID
