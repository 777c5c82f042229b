"""The port of whatever sends mail."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from jobcore_handlers.mailing.mail import Mail


class MailSender(ABC):
    """Sends mails. Register another with the application's services, as `MailSender`."""

    @abstractmethod
    async def send(self, mail: Mail) -> None:
        """Hand a mail over; returns once whoever takes it has taken responsibility for it.

        Raises:
            MailRefusedError: if it will never be taken, or `MailContentError` if it cannot be written.
            MailDeferredError: if it may be taken later; `MailInterruptedError` if nobody knows whether it was taken.
            MailServerError: if no mail can be sent at all; `MailLoginError` if that needs an operator.
        """

    @asynccontextmanager
    async def session(self) -> AsyncGenerator[MailSender]:
        """Open what several mails share, such as a connection; yields what sends them."""
        yield self
