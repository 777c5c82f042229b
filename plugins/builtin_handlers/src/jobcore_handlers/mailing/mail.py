"""One mail, and how it is written down for a server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, parseaddr
from uuid import UUID

from jobcore_handlers.mailing.errors import MailContentError

MAX_SUBJECT_CHARS = 300
MAX_NAME_CHARS = 200
MAX_ADDRESS_BYTES = 254
MAX_CONTENT_BYTES = 20 * 1024 * 1024
"""Of texts and attachments together, before they are encoded for transport (a third more)."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NEVER_IN_TEXT = re.compile(r"[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    mime_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail to one recipient. From whom it is, the sender says."""

    mail_id: UUID
    """Becomes the `Message-ID`: the same whenever this mail is sent again, so that a doubled mail can be recognised."""
    to: str
    """An address, without a name."""
    to_name: str = ""
    subject: str
    text: str
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()


def address_of(text: str, name: str = "") -> Address:
    """Return `text` as the address of `name`.

    Raises:
        MailContentError: if it is not exactly one address, or if address or name hold line breaks or other controls.
    """
    if _CONTROL.search(name) or len(name) > MAX_NAME_CHARS:
        raise MailContentError(
            f"The name of a mail's recipient or sender holds a line break, or more than {MAX_NAME_CHARS} characters."
        )
    try:
        address = Address(name, addr_spec=text)
        domain = address.domain.encode("idna").decode() if not address.domain.isascii() else address.domain
        address = Address(name, address.username, domain)
    except (ValueError, IndexError, MessageError):  # which one depends on where the address goes wrong
        address = None
    if (
        address is None
        or _CONTROL.search(text)
        or not address.domain
        or not 3 <= len(text.encode()) <= MAX_ADDRESS_BYTES
    ):
        raise MailContentError("A mail's address is not one that mail can be sent to; correct it where it is kept.")
    return address


def sender_of(text: str) -> Address:
    """Return the sender that a setting names: `billing@example.com` or `Pinewater <billing@example.com>`.

    Raises:
        MailContentError: if it is neither.
    """
    if _CONTROL.search(text):
        raise MailContentError("The sender of mails holds a line break.")
    name, address = parseaddr(text)
    return address_of(address, name)


def compose(mail: Mail, sender: Address) -> EmailMessage:
    """Return the mail as a message.

    Raises:
        MailContentError: if a part of it cannot stand in a mail; the message says which.
    """
    check(mail)
    message = EmailMessage(SMTP)
    message["From"] = sender
    message["To"] = address_of(mail.to, mail.to_name)
    message["Subject"] = mail.subject
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = f"<{mail.mail_id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html")
    for one in mail.attachments:
        kind, _, subtype = one.mime_type.partition("/")
        message.add_attachment(one.content, maintype=kind, subtype=subtype, filename=one.name)
    return message


def check(mail: Mail) -> None:
    """Raise `MailContentError` if a part of the mail cannot stand in one."""
    address_of(mail.to, mail.to_name)
    if _CONTROL.search(mail.subject) or not 1 <= len(mail.subject) <= MAX_SUBJECT_CHARS:
        raise MailContentError(
            f"The subject of a mail holds a line break, or is not 1 to {MAX_SUBJECT_CHARS} characters long."
        )
    for one in mail.attachments:
        if _CONTROL.search(one.name) or not re.fullmatch(r"[\w.+-]+/[\w.+-]+", one.mime_type, re.ASCII):
            raise MailContentError("The name or the type of an attachment cannot stand in a mail.")
    if any(_NEVER_IN_TEXT.search(text) for text in (mail.text, mail.html or "")):
        raise MailContentError("The text of a mail holds a NUL, or half a character (a lone surrogate).")
    size = len(mail.text.encode()) + len((mail.html or "").encode()) + sum(len(one.content) for one in mail.attachments)
    if size > MAX_CONTENT_BYTES:
        raise MailContentError(f"The mail has {size} bytes; {MAX_CONTENT_BYTES} are the limit.")
