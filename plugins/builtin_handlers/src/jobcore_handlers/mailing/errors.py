"""Why a mail was not sent. No text holds an address, a name, or words of a mail server, which may hold either."""

from __future__ import annotations

from jobcore.errors import JobcoreError, NonRetryableError


class MailError(JobcoreError):
    """A mail was not sent."""

    @property
    def is_passing(self) -> bool:
        """Whether the same mail may be taken later."""
        return not isinstance(self, NonRetryableError)


class MailContentError(MailError, NonRetryableError):
    """A mail cannot be written as it is: an address that is none, a line break in a subject, too many bytes."""


class MailRefusedError(MailError, NonRetryableError):
    """The server will never take this mail (a reply 5xx)."""

    def __init__(self, reply: str) -> None:
        super().__init__(
            f"The mail server refused the mail for good: {reply}. "
            "Correct the recipient's address, or what the server's log says about it, then retry the job."
        )


class MailDeferredError(MailError):
    """The server does not take this mail now (a reply 4xx)."""

    def __init__(self, reply: str) -> None:
        super().__init__(f"The mail server did not take the mail yet: {reply}.")


class MailInterruptedError(MailError):
    """The connection ended, or time ran out, in the middle of a mail; the server may have taken it nevertheless."""


class MailServerError(MailError):
    """There is no connection to the mail server. Every other mail would fail alike."""


class MailLoginError(MailServerError, NonRetryableError):
    """The mail server does not accept the account."""

    def __init__(self, reply: str) -> None:
        super().__init__(
            f"The mail server did not accept the login: {reply}. "
            "Check JOBCORE_BUILTIN__SMTP_USERNAME and JOBCORE_BUILTIN__SMTP_PASSWORD, then retry the job."
        )


class MailSenderRefusedError(MailServerError, NonRetryableError):
    """The mail server takes nothing from the sender that the settings name: every mail would be refused."""

    def __init__(self, reply: str) -> None:
        super().__init__(
            f"The mail server does not accept the sender: {reply}. Check EMAIL_FROM, and whether the server wants an "
            "account (JOBCORE_BUILTIN__SMTP_USERNAME and JOBCORE_BUILTIN__SMTP_PASSWORD), then retry the job."
        )


class MailTemplateError(MailError, NonRetryableError):
    """A template of mails is missing or cannot be filled in."""
