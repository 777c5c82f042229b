"""Mail over SMTP: one connection, used by one mail at a time, open while somebody has mails to send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from aiosmtplib import SMTP, SMTPException, SMTPRecipientsRefused, SMTPResponseException

from jobcore.errors import ConfigurationError
from jobcore_handlers.mailing.connection import connect, refusal, tls_context
from jobcore_handlers.mailing.errors import MailInterruptedError, MailServerError
from jobcore_handlers.mailing.mail import Mail, compose, sender_of
from jobcore_handlers.mailing.sender import MailSender
from jobcore_handlers.mailing.settings import MailSettings

_SECONDS_TO_LEAVE = 2


class SmtpMailSender(MailSender):
    """Sends through one mail server. Its certificate is verified, and a server without TLS is not made do with.

    Args:
        settings: how to reach it.

    Raises:
        ConfigurationError: if no server is configured, or the file of certificates cannot be used.
    """

    def __init__(self, settings: MailSettings) -> None:
        if settings.smtp_host is None:
            raise ConfigurationError(
                "Mail is to be sent, and no mail server is configured: set JOBCORE_BUILTIN__SMTP_HOST "
                "(docs/how-to/send-mail.md)."
            )
        self._settings = settings
        self._tls = tls_context(settings)
        self._from = sender_of(settings.email_from)
        self._client: SMTP | None = None
        self._sessions = 0
        self._line = asyncio.Lock()

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[MailSender]:
        """Keep the connection, once a mail has opened it, until the last session ends.

        Where the server cannot be reached, that session's later mails fail at once.
        """
        self._sessions += 1
        try:
            yield _Session(self)
        finally:
            self._sessions -= 1
            if not self._sessions:
                await self._hang_up()

    async def send(self, mail: Mail) -> None:
        async with self.session() as session:
            await session.send(mail)

    async def deliver(self, mail: Mail) -> None:
        """Send a mail within a session. Raises as `send`."""
        message = compose(mail, self._from)
        async with self._line:
            client = await self._connected()
            try:
                async with asyncio.timeout(self._settings.smtp_timeout):
                    await client.send_message(message)
            except SMTPRecipientsRefused as error:
                raise refusal(error.recipients[0]) from None  # the words of a reply may hold the address
            except SMTPResponseException as error:
                raise refusal(error) from None
            except (SMTPException, OSError) as error:
                self._drop()
                raise MailInterruptedError(self._interruption(error)) from None
            except BaseException:
                self._drop()  # in the middle of a dialogue it is of no use to the next mail
                raise

    async def _connected(self) -> SMTP:
        if self._client is None or not self._client.is_connected:
            self._client = await connect(self._settings, self._tls)
        return self._client

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def _hang_up(self) -> None:
        async with self._line:
            client = self._client
            if client is None or self._sessions:
                return
            try:
                # Every mail has its answer by now: a server that does not say good-bye costs nothing.
                with suppress(SMTPException, OSError):
                    await client.quit(timeout=_SECONDS_TO_LEAVE)
            finally:
                self._drop()

    def _interruption(self, error: Exception) -> str:
        if isinstance(error, TimeoutError):
            return f"The mail server did not take a mail within {self._settings.smtp_timeout:g} seconds."
        return f"The mail server ended the connection in the middle of a mail ({type(error).__name__})."


class _Session(MailSender):
    def __init__(self, sender: SmtpMailSender) -> None:
        self._sender = sender
        self._away: MailServerError | None = None

    async def send(self, mail: Mail) -> None:
        if self._away is not None:
            raise self._away
        try:
            await self._sender.deliver(mail)
        except MailServerError as error:
            self._away = error
            raise
