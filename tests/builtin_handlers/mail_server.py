"""A real SMTP server (aiosmtpd) on the loop of the test, which keeps what it takes and answers as it is told."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from jobcore_handlers.mailing.settings import MailSettings


class MailServer:
    """What the server took, and the knobs of how it answers."""

    def __init__(self) -> None:
        self.port = 0
        self.received: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.connections = 0
        self.replies: dict[str, str] = {}
        """What is answered to RCPT for an address, instead of taking it."""
        self.reply_to_sender: str | None = None
        self.reply_to_data: str | None = None
        self.on_offered: Callable[[], Any] = lambda: None
        """Called when a mail is announced, before anything of it is taken."""
        self.on_accepted: Callable[[], Any] = lambda: None
        """Called when a mail is taken, before its sender hears of it."""
        self.account: tuple[bytes, bytes] | None = None

    def settings(self, **changes: Any) -> MailSettings:
        values = {"smtp_host": "127.0.0.1", "smtp_port": self.port, "smtp_tls": "none", "smtp_timeout": 5,
                  "email_from": "Pinewater Billing <billing@pinewater.example>", **changes}  # fmt: skip
        return MailSettings.model_validate(values)

    @property
    def message_ids(self) -> Counter[str]:
        return Counter(str(message["Message-ID"]) for message in self.received)

    def sent_to(self, address: str) -> list[EmailMessage]:
        return [one for one, to in zip(self.received, self.recipients, strict=True) if to == address]

    # -- the hooks of aiosmtpd ----------------------------------------------------------------------------------------

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.reply_to_sender is not None:
            return self.reply_to_sender
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.on_offered()
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.reply_to_data is not None:
            return self.reply_to_data
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        for address in envelope.rcpt_tos:
            self.received.append(message)
            self.recipients.append(address)
        self.on_accepted()
        return "250 OK"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == self.account, handled=False)

    @asynccontextmanager
    async def serve(self, *, tls: ssl.SSLContext | None = None, implicit: bool = False) -> AsyncIterator[MailServer]:
        def protocol() -> SMTP:
            self.connections += 1
            return SMTP(self, hostname="mail.test", tls_context=None if implicit else tls,
                        authenticator=self.authenticate, auth_required=self.account is not None,
                        require_starttls=tls is not None and not implicit, auth_require_tls=not implicit)  # fmt: skip

        loop = asyncio.get_running_loop()
        server = await loop.create_server(protocol, "127.0.0.1", self.port, ssl=tls if implicit else None)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for 127.0.0.1: the server's context, and the file by which clients trust it."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")]),
    )
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - timedelta(hours=1),
                                now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )  # fmt: skip
    private, public = folder / "key.pem", folder / "certificate.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(signed.public_bytes(Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    return context, public
