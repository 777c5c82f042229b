"""Opening a connection to a mail server, and what its replies mean."""

from __future__ import annotations

import asyncio
import re
import ssl

from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException, SMTPResponseException, SMTPSenderRefused

from jobcore.errors import ConfigurationError
from jobcore_handlers.mailing.errors import (
    MailDeferredError,
    MailError,
    MailLoginError,
    MailRefusedError,
    MailSenderRefusedError,
    MailServerError,
)
from jobcore_handlers.mailing.settings import MailSettings

_TOO_BIG = 552
"""To MAIL, which announces the size, it is about the mail; any other refusal is about the sender (RFC 1870, 6.1)."""
_ENHANCED_STATUS = re.compile(r"\d\.\d{1,3}\.\d{1,3}\b")


async def connect(settings: MailSettings, tls: ssl.SSLContext) -> SMTP:
    """Return a connection that is encrypted and logged in, as the settings say.

    Raises:
        MailServerError: if the server cannot be reached, or does not offer what the settings ask for.
        MailLoginError: if it does not accept the account.
    """
    client = SMTP(
        hostname=settings.smtp_host,
        port=settings.port,
        timeout=settings.smtp_timeout,
        use_tls=settings.smtp_tls == "implicit",
        start_tls=settings.smtp_tls == "starttls",
        tls_context=tls,
    )
    try:
        async with asyncio.timeout(settings.smtp_timeout):
            await client.connect()
            await _log_in(client, settings)
    except SMTPAuthenticationError as error:
        client.close()
        reply = as_reply(error)
        raise (MailLoginError(reply) if is_final(error) else MailServerError(_away(reply))) from None
    except (SMTPException, OSError) as error:  # TimeoutError and ssl.SSLError are OSErrors
        client.close()
        raise MailServerError(_away(_told(error, settings))) from None
    except BaseException:
        client.close()
        raise
    return client


def tls_context(settings: MailSettings) -> ssl.SSLContext:
    """Return a context that verifies the server. Raises `ConfigurationError`. Reads files."""
    path = settings.smtp_ca_file
    try:
        return ssl.create_default_context(cafile=None if path is None else str(path))
    except OSError as error:
        raise ConfigurationError(
            f"The certificates of JOBCORE_BUILTIN__SMTP_CA_FILE ({path}) cannot be used: {error.strerror or error}."
        ) from error


def refusal(error: SMTPResponseException) -> MailError:
    """Return what a reply to a mail means for it, or for all."""
    if not is_final(error):
        return MailDeferredError(as_reply(error))
    if isinstance(error, SMTPSenderRefused) and error.code != _TOO_BIG:
        return MailSenderRefusedError(as_reply(error))
    return MailRefusedError(as_reply(error))


def is_final(error: SMTPResponseException) -> bool:
    """Whether a reply is of the class 5xx (RFC 5321, 4.2.1)."""
    return 500 <= error.code <= 599


def as_reply(error: SMTPResponseException) -> str:
    """Return the codes of a reply: `550 5.1.1`. Its words stay out, they may hold the recipient's address."""
    status = _ENHANCED_STATUS.match(error.message)
    return f"{error.code} {status[0]}" if status else str(error.code)


async def _log_in(client: SMTP, settings: MailSettings) -> None:
    if settings.smtp_username is not None and settings.smtp_password is not None:
        await client.login(settings.smtp_username, settings.smtp_password.get_secret_value())


def _told(error: Exception, settings: MailSettings) -> str:
    match error:
        case SMTPResponseException():
            return as_reply(error)
        case TimeoutError():
            return f"it did not answer within {settings.smtp_timeout:g} seconds"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {error.verify_message}"
        case SMTPException() if "STARTTLS" in str(error):  # aiosmtplib's words, which it has no kind of error for
            return "it offers no TLS (STARTTLS), and nothing is sent without unless JOBCORE_BUILTIN__SMTP_TLS is none"
        case _:
            return f"{type(error).__name__}"


def _away(why: str) -> str:
    return (
        f"The mail server cannot be used: {why}. "
        "Check that it runs, and JOBCORE_BUILTIN__SMTP_HOST, _SMTP_PORT and _SMTP_TLS."
    )
