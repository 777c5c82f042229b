"""Outgoing mail: what a mail is, and the port of whatever sends it. Sending over SMTP stands in `mailing.smtp`."""

from jobcore_handlers.mailing.mail import Attachment, Mail
from jobcore_handlers.mailing.sender import MailSender

__all__ = ["Attachment", "Mail", "MailSender"]
