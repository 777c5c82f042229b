"""What goes wrong on connections of the application's, whichever library reports it."""

from __future__ import annotations

from collections.abc import Sequence

from jobcore.errors import ForeignConnectionError, InputError, TransactionConflictError

_OF_PARENTS = "23503"
"""The SQLSTATE of `admission_add`."""
_OF_CONFLICTS = {"40001", "40P01"}
"""The SQLSTATEs of transactions that could not both go on."""


def sqlstate_of(error: BaseException) -> str | None:
    """Return PostgreSQL's code of an error: the driver's own, or the one that a library wrapped."""
    codes = (getattr(each, name, None) for each in _told_by(error) for name in ("sqlstate", "pgcode"))
    return next((code for code in codes if code), None)


def detail_of(error: BaseException) -> str | None:
    """Return the detail that PostgreSQL told with an error: as `sqlstate_of` finds its code."""
    sources = [source for each in _told_by(error) for source in (getattr(each, "diag", None), each)]
    details = (getattr(source, name, None) for source in sources for name in ("message_detail", "detail"))
    return next((detail for detail in details if detail and isinstance(detail, str)), None)


def _told_by(error: BaseException) -> Sequence[object]:
    """Return an error and those that it may have been made of; libraries wrap one another's."""
    original = getattr(error, "orig", None)
    return (error, original, error.__cause__, getattr(original, "__cause__", None))


def require_postgresql(product: str) -> None:
    """Raise `ForeignConnectionError` for a connection to another product's database."""
    if product != "postgresql":
        raise ForeignConnectionError(
            f"The connection is to a {product} database, and the jobs are in PostgreSQL: the two cannot commit "
            "together."
        )


def unknown_parent_in(error: BaseException) -> InputError | None:
    """Return what `jobcore.admission_add` refused: a job that is to wait for one that is not there; else `None`."""
    if sqlstate_of(error) != _OF_PARENTS:
        return None
    message = str(error).partition("\n")[0]
    return InputError(f"{message[:1].upper()}{message[1:]}.")


def conflict_in(error: BaseException) -> TransactionConflictError | None:
    """Return what ended a transaction for the sake of another one; `None` for any other error."""
    if sqlstate_of(error) not in _OF_CONFLICTS:
        return None
    return TransactionConflictError(
        "This transaction and another one waited for each other, and PostgreSQL ended this one: roll it back, and run "
        "it again. Jobs that take the places of others are best enqueued in one call, or in the order of their keys."
    )
