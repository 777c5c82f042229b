"""What can go wrong with one calendar.

Messages are stored and shown: they name services, statuses and error codes, never a person, an address or a token.
"""

from __future__ import annotations

from jobcore.errors import JobcoreError


class CalendarError(JobcoreError):
    """One calendar could not be served; the others are."""


class ServiceRefusedError(CalendarError):
    """The service answered that it will not do this; nothing was changed there."""

    def __init__(self, service: str, status: int, code: str | None) -> None:
        self.status = status
        self.code = code
        super().__init__(f"{service} answered {status}{f' ({code})' if code else ''}.")


class ServiceGoneError(ServiceRefusedError):
    """The service does not know the thing, or not any more."""


class ServiceConflictError(ServiceRefusedError):
    """The service has such a thing already."""


class ServiceThrottledError(ServiceRefusedError):
    """The service wants fewer requests, for longer than is waited for."""


class OutcomeUnknownError(CalendarError):
    """No answer, or one of a failure inside the service: what was asked for may have happened or not."""


class UnexpectedAnswerError(CalendarError):
    """The service answered success with something that its protocol does not have; what it did is not known."""

    def __init__(self, service: str, what: str) -> None:
        super().__init__(f"{service} gave an answer that is not of its protocol: {what}.")


class GrantError(CalendarError):
    """There is no token for this calendar, or the one that there is does not serve."""
